-- Accounts of the operator console and their sessions; in the first database only.

create table operators (
  name text primary key check (name ~ '^[a-z][a-z0-9._-]{0,31}$'),
  role text not null check (role in ('viewer', 'operator', 'admin')),
  -- argon2id, as a PHC string with its own parameters.
  password_hash text not null,
  -- Base32. A code is asked for once its owner has shown one; until then the secret is only on offer.
  totp_secret text,
  totp_offered text,
  -- The latest time step whose code was used: none counts twice.
  totp_step bigint,
  disabled boolean not null default false,
  created_at timestamptz not null default now(),
  last_sign_in_at timestamptz
);

create table operator_sessions (
  -- SHA-256 of the cookie: whoever reads this table can not sign in with it.
  token_hash text primary key check (token_hash ~ '^[0-9a-f]{64}$'),
  operator text not null references operators (name),
  started_at timestamptz not null,
  used_at timestamptz not null
);
create index operator_sessions_by_operator on operator_sessions (operator);
