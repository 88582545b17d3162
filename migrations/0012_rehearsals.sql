-- A rehearsal is a copy of a sale to try everything on: not listed, and no real money moves for it. One that has ended may
-- be put away; nothing of it is deleted, so that its orders and its records stay what they were.
alter table sales
  add column rehearsal_of text references sales (id),
  add column archived_at timestamptz;
