-- Orders whose units are not known to be back in stock: the cleanup worker looks among them for holds that a crash
-- kept from being released. Rows leave the index with their Restocked event.
create index orders_unreleased on orders (hold_expires_at) where status = 'FAILED' and restocked_at is null;
