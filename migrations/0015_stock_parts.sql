-- Parts that the stock of an item is split into, each on a Redis Cluster slot of its own.
alter table products add column stock_parts integer not null default 1 check (stock_parts between 1 and 16);
