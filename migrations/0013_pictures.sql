-- Pictures of products, by what they hold: an address that was given out once goes on showing the same picture.
create table pictures (
  -- SHA-256 of the body in base64url, its first 22 characters.
  hash text primary key check (hash ~ '^[A-Za-z0-9_-]{22}$'),
  type text not null check (type in ('image/png', 'image/jpeg', 'image/webp', 'image/avif')),
  width integer not null check (width > 0),
  height integer not null check (height > 0),
  body bytea not null check (octet_length(body) <= 1048576),
  created_at timestamptz not null default now()
);

alter table products
  add column picture text references pictures (hash),
  -- For who does not see it; empty: the product's name.
  add column picture_alt text not null default '';
