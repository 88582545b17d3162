-- How far each line was, about once a second: what a waiting room goes on from when Redis has lost it, so that no
-- position is given twice and a draw stays as it was held.
create table queue_marks (
  sale_id text not null references sales (id),
  -- '' for the main line, else the id of a group.
  lane text not null,
  tail bigint not null,
  serving bigint not null,
  -- Of the lobby, from the opening on.
  lobby_size bigint,
  tickets_hash text,
  joins_per_second double precision not null default 0,
  marked_at timestamptz not null default now(),
  primary key (sale_id, lane)
);
