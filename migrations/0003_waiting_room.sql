-- The waiting room whole: lobby, draw, standby, checkout cap, groups with a code, and the guard's settings per sale.

alter table sales
  add column lobby_opens_at timestamptz,
  add column post_sale_at timestamptz,
  add column turn_s double precision not null default 120 check (turn_s > 0),
  add column checkout_cap integer check (checkout_cap > 0),
  -- People in checkout for each unit that is available; more would only be disappointed.
  add column checkouts_per_unit double precision not null default 3 check (checkouts_per_unit >= 1),
  add column standby_threshold integer check (standby_threshold > 0),
  -- The secret stays here until the draw; only its commitment is shown.
  add column draw_secret text check (draw_secret ~ '^[0-9a-f]{64}$'),
  add column draw_commitment text check (draw_commitment ~ '^[0-9a-f]{64}$'),
  add column guard jsonb not null default '{}',
  add check ((draw_secret is null) = (draw_commitment is null)),
  add check (lobby_opens_at is null or lobby_opens_at <= opens_at);

-- Groups that join with a code stand in a lane of their own: they raise nobody's number.
create table sale_groups (
  sale_id text not null references sales (id),
  id text not null,
  name text not null,
  code_hash text not null,
  rate_per_second double precision not null check (rate_per_second > 0),
  places integer check (places > 0),
  created_at timestamptz not null default now(),
  primary key (sale_id, id),
  unique (sale_id, code_hash)
);
