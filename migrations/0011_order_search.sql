-- The console's list of orders, the newest first, page by page: of all sales, of one, and by whatever an operator has in
-- hand: the order's id, the provider's id of a payment, a mail address, or the first part of one of them.
create index orders_latest on orders (created_at desc, id desc);
create index orders_latest_of_sale on orders (sale_id, created_at desc, id desc);
create index orders_by_id on orders (id);
create index payments_by_ref on payments (provider_ref text_pattern_ops);
create index contacts_by_email on contacts (lower(email) text_pattern_ops);
create index audit_by_target on audit_log (target, id);
