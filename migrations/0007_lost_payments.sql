-- A payment that has paid its order, and whose authorisation the provider gave up before it was captured.
alter table payments drop constraint payments_state_check;
alter table payments add constraint payments_state_check check (
  state in ('started', 'failed', 'authorised', 'captured', 'lost', 'refund_due', 'cancelled', 'refunded')
);
-- PAID orders without money are few; see selectUnfunded in src/flow/payments/sql.ts.
create index payments_unfunded on payments (updated_at) where state in ('authorised', 'lost');
