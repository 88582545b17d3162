-- The same tables stand in every database of DATABASE_URLS. sales, products, reconcile_runs and audit_log are used
-- in the first one only; orders, payments and webhook_events on the shard of their user_id, which is part of every
-- primary key so that one Citus cluster can serve as well.

create table sales (
  id text primary key,
  name text not null,
  opens_at timestamptz not null,
  ends_at timestamptz,
  -- The operator's hand; the phase a visitor sees follows from it, the times and the stock.
  state text not null default 'open' check (state in ('open', 'paused', 'ended')),
  rate_per_second double precision not null check (rate_per_second > 0),
  payment_window_s double precision not null default 300 check (payment_window_s > 0),
  hold_s double precision not null default 600,
  pass_s double precision not null default 600 check (pass_s > 0),
  message text not null default '',
  created_at timestamptz not null default now(),
  check (ends_at is null or ends_at > opens_at),
  check (hold_s >= payment_window_s)
);

create table products (
  id text primary key,
  sale_id text not null references sales (id),
  name text not null,
  description text not null default '',
  amount bigint not null check (amount > 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  units integer not null check (units > 0),
  per_buyer_limit integer not null default 1 check (per_buyer_limit > 0),
  created_at timestamptz not null default now()
);
create index products_by_sale on products (sale_id);

create table orders (
  user_id text not null,
  id uuid not null,
  sale_id text not null,
  item_id text not null,
  quantity integer not null check (quantity > 0),
  amount bigint not null check (amount > 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  status text not null check (status in ('PENDING', 'PAID', 'FAILED')),
  failure_reason text check (
    failure_reason in ('declined', 'payment_timeout', 'hold_expired', 'cancelled_by_user', 'oversold')
  ),
  claim_seq bigint not null,
  claimed_at timestamptz not null,
  pay_by timestamptz not null,
  hold_expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  paid_at timestamptz,
  failed_at timestamptz,
  restocked_at timestamptz,
  primary key (user_id, id),
  check ((status = 'FAILED') = (failure_reason is not null)),
  check (status <> 'PAID' or paid_at is not null),
  check (restocked_at is null or status = 'FAILED')
);
create index orders_unpaid on orders (pay_by) where status = 'PENDING';
create index orders_by_item on orders (item_id, status);

create table payments (
  user_id text not null,
  order_id uuid not null,
  provider text not null check (provider in ('stripe', 'paypal')),
  provider_ref text not null,
  amount bigint not null check (amount > 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  state text not null check (
    state in ('started', 'failed', 'authorised', 'captured', 'refund_due', 'cancelled', 'refunded')
  ),
  failure_code text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (user_id, order_id, provider, provider_ref)
);
-- What may still need a call to the provider; see src/flow/payments/sql.ts.
create index payments_unfinished on payments (updated_at)
  where state in ('started', 'failed', 'authorised', 'refund_due');

-- A provider's event has its effect once: its id is inserted in the transaction of the effect.
create table webhook_events (
  user_id text not null,
  provider text not null,
  event_id text not null,
  received_at timestamptz not null default now(),
  primary key (user_id, provider, event_id)
);

create table reconcile_runs (
  id bigint generated always as identity primary key,
  item_id text not null,
  started_at timestamptz not null default now(),
  outcome text not null check (outcome in ('clean', 'repaired', 'in_motion', 'oversold', 'refused')),
  drift integer not null,
  report jsonb not null
);
create index reconcile_runs_by_item on reconcile_runs (item_id, id);

create table audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  operator text not null,
  command text not null,
  target text not null,
  reason text not null,
  detail jsonb not null
);
