-- The console counts the orders of a sale every few seconds: from this index alone.
create index orders_by_sale on orders (sale_id, status, failure_reason);
