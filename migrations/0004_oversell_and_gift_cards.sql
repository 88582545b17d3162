-- What happens when more was sold than there is: who approves it, what was approved, and the gift cards that make up
-- for it. Gift cards and their uses lie on the shard of their owner; plans and approvals in the first database.

-- Who approves cancelling, and how large a gift card is; src/contracts/oversell.ts has the defaults.
alter table sales add column oversell jsonb not null default '{}';

-- A count in the warehouse may find nothing at all.
alter table products drop constraint products_units_check;
alter table products add check (units >= 0);

-- One for each order it makes up for: the order's id is the card's name, so none is issued twice. The code only works
-- for its owner, who may see it again at any time; docs/decisions/ says why it is not hashed.
create table gift_cards (
  user_id text not null,
  order_id uuid not null,
  code text not null check (code ~ '^[0-9A-HJKMNP-TV-Z]{16}$'),
  amount bigint not null check (amount > 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  issued_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (user_id, order_id),
  unique (user_id, code),
  foreign key (user_id, order_id) references orders (user_id, id)
);

-- What of a card is put towards an order. It counts while that order is PENDING or PAID, so a failed one gives it back.
create table gift_card_uses (
  user_id text not null,
  order_id uuid not null,
  card_id uuid not null,
  amount bigint not null check (amount > 0),
  used_at timestamptz not null default now(),
  primary key (user_id, order_id, card_id),
  foreign key (user_id, order_id) references orders (user_id, id),
  foreign key (user_id, card_id) references gift_cards (user_id, order_id)
);
create index gift_card_uses_by_card on gift_card_uses (user_id, card_id);

-- The last ones by claim sequence are found from the end; those that were cancelled for it are few.
create index orders_by_claim on orders (item_id, claim_seq) where status <> 'FAILED';
create index orders_oversold on orders (item_id) where failure_reason = 'oversold';

-- Exactly the orders somebody approved cancelling, under the hash of their list.
create table oversell_plans (
  item_id text not null,
  hash text not null,
  orders jsonb not null,
  units integer not null check (units > 0),
  -- How many different persons must approve.
  persons integer not null check (persons >= 0),
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  outcome text check (outcome in ('done', 'not_needed', 'outdated')),
  primary key (item_id, hash),
  check ((finished_at is null) = (outcome is null))
);
create table oversell_approvals (
  item_id text not null,
  hash text not null,
  operator text not null,
  reason text not null,
  at timestamptz not null default now(),
  primary key (item_id, hash, operator),
  foreign key (item_id, hash) references oversell_plans (item_id, hash)
);

create index reconcile_runs_by_age on reconcile_runs (started_at);
