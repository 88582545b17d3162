-- What buyers are told by mail. Both tables lie on the shard of the buyer.

-- The only place with an address of a buyer: of one order, given for it by its buyer, deleted when it is old.
create table contacts (
  user_id text not null,
  order_id uuid not null,
  email text not null,
  given_at timestamptz not null default now(),
  -- Until the order has ended and its notice is written down; the scan for notices looks at these alone.
  waiting boolean not null default true,
  primary key (user_id, order_id)
);
create index contacts_waiting on contacts (given_at) where waiting;
create index contacts_by_age on contacts (given_at);

-- One mail for each order and kind. `due` until the mail server has taken it; `dead` when it never will; `obsolete` when
-- it is no longer true, or the address is gone.
create table notices (
  user_id text not null,
  order_id uuid not null,
  kind text not null check (kind in ('paid', 'failed', 'cancelled', 'oversold')),
  state text not null default 'due' check (state in ('due', 'sent', 'dead', 'obsolete')),
  attempts integer not null default 0,
  -- Nobody else takes it before: the end of a lease, or the time of the next attempt.
  next_at timestamptz not null default now(),
  -- What the mail server said last: a number or a name, never an address.
  code text,
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  primary key (user_id, order_id, kind),
  check ((state = 'sent') = (sent_at is not null))
);
create index notices_due on notices (next_at) where state = 'due';
create index notices_dead on notices (created_at) where state = 'dead';

-- Orders that were PAID, and their buyers told so, until it turned out that there was no unit.
create index orders_oversold_at on orders (failed_at) where failure_reason = 'oversold';
