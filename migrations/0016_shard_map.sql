-- Which server holds which of the 256 logical shards, and what it takes to move one while the sale runs
-- (docs/decisions: moving logical shards).

-- The same as logicalShard() in src/platform/shards/logical.ts. Never change it; rows would no longer be found.
create function logical_shard(user_id text) returns integer language sql immutable strict parallel safe
  as $$ select get_byte(sha256(convert_to(user_id, 'UTF8')), 0) $$;

-- First database only: the map. `going_to`: announced, so that every process asks the server before it trusts the map.
create sequence shard_versions;
create table shard_servers (
  server integer primary key check (server >= 0),
  added_at timestamptz not null default now()
);
create table shard_map (
  logical smallint primary key check (logical between 0 and 255),
  server integer not null references shard_servers (server),
  going_to integer references shard_servers (server),
  version bigint not null default nextval('shard_versions')
);

-- Every database: who it is, whatever its address; and what it holds. A row of held_shards and the rows of its buyers come
-- and go in one transaction, so the tables of a server have the buyers of its logical shards and nobody else.
create table shard_identity (
  the_only_one boolean primary key default true check (the_only_one),
  system uuid not null,
  server integer not null check (server >= 0)
);
create table held_shards (
  logical smallint primary key check (logical between 0 and 255),
  -- Somebody copies it: whose rows change meanwhile is noted in leaving_users.
  leaving boolean not null default false,
  -- The last one who set out to move it; an earlier one finds out here that it is not in charge any more.
  mover bigint not null default 0
);
create table leaving_users (logical smallint not null, buyer text not null);
create index leaving_users_by_shard on leaving_users (logical);
create table arriving_shards (logical smallint primary key, mover bigint not null);
-- Copies wait here, where no query sees them, until the server that had them has given them up.
create table arriving_rows (logical smallint not null, origin text not null, buyer text not null, content json not null);
create index arriving_rows_by_buyer on arriving_rows (logical, buyer);

-- Refuses to write for a buyer whose logical shard is not here. The share lock is the fence: who moves the shard locks its
-- row, so nobody writes once the copy is final, and a mover that dies lifts its fence with its connection.
create function guard_logical_shard() returns trigger language plpgsql as $$
declare
  changed record;
  shard smallint;
  is_leaving boolean;
begin
  if tg_op = 'DELETE' then changed := old; else changed := new; end if;
  shard := logical_shard(changed.user_id);
  select leaving into is_leaving from held_shards where logical = shard for share;
  if not found then
    raise exception 'logical shard % is not on this server', shard using errcode = 'DB001',
      hint = 'shard_map in the first database says where it is';
  end if;
  if is_leaving then insert into leaving_users values (shard, changed.user_id); end if;
  return null;
end $$;

-- The guard of one table, which asks about those logical shards only that are not here to stay: the others are known to
-- the trigger itself, and the mover is not asked. To be called again when they change; it waits for whoever writes to the
-- table at the moment. Afterwards, for a trigger before an update locks each row once more; and logical_shard() is spelled
-- out, for the condition is read anew with each statement. A single server has no guard: Citus knows no triggers on
-- distributed tables.
create function place_shard_guard(which text) returns void language plpgsql as $$
declare
  staying bytea := decode(repeat('00', 32), 'hex');
  shard integer;
begin
  for shard in select logical from held_shards where not leaving loop
    staying := set_bit(staying, shard, 1);
  end loop;
  execute format(
    'create or replace trigger shard_guard after insert or update on %I for each row
     when (get_bit(%L::bytea, get_byte(sha256(convert_to(new.user_id, ''UTF8'')), 0)) = 0
       and current_setting(''doorbuster.moves_shards'', true) is distinct from ''on'')
     execute function guard_logical_shard()', which, staying::text);
  execute format(
    'create or replace trigger shard_guard_delete after delete on %I for each row
     when (get_bit(%L::bytea, get_byte(sha256(convert_to(old.user_id, ''UTF8'')), 0)) = 0
       and current_setting(''doorbuster.moves_shards'', true) is distinct from ''on'')
     execute function guard_logical_shard()', which, staying::text);
end $$;
