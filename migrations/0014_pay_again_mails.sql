-- A paid order whose money was lost: its buyer is asked to pay once more.
alter table notices drop constraint notices_kind_check;
alter table notices add constraint notices_kind_check check (
  kind in ('paid', 'pay_again', 'failed', 'cancelled', 'oversold')
);
