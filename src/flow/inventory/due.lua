-- due: reads holds, those with the earliest deadline first: overdue ones, or all.
-- KEYS     stock buyers holds claims outbox
-- ARGV     which grace_ms max
--          which: 'overdue', those whose deadline + grace_ms has come, or 'all'; max: -1 for no limit
-- RESULTS  rows      for each hold: order_id, deadline, claim 'quantity claim_seq created_at pay_by user_id'
--          unloaded  no such item, or a part of it is damaged
-- WRITES   none
-- EVENTS   none
local which, grace_ms, max = unpack(ARGV)

if not read_item() then return 'unloaded' end
local latest = which == 'all' and '+inf' or now_ms() - grace_ms
local found = redis.call('ZRANGE', holds_key, '-inf', latest, 'BYSCORE', 'LIMIT', 0, max, 'WITHSCORES')
local rows = {}
for at = 1, #found, 2 do
  local claim = redis.call('HGET', claims_key, found[at])
  if claim then rows[#rows + 1] = { found[at], found[at + 1], claim } end
end
return rows
