-- What a waiting room goes on from when Redis has lost it, so that no position is given twice and a draw stays as it was
-- held.
create table queue_marks (
  sale_id text not null references sales (id),
  -- '' for the main line, else the id of a group.
  lane text not null,
  -- No position beyond it has been given: it is raised here before Redis may give one.
  ceiling bigint not null default 0,
  serving bigint not null default 0,
  -- Of the lobby, from the opening on.
  lobby_size bigint,
  tickets_hash text,
  primary key (sale_id, lane)
);
