-- create: makes the waiting room of a sale. Safe to repeat.
-- KEYS     queue
-- ARGV     rate opens_at ends_at (people per second; times in ms, ends_at '' means never)
-- RESULTS  created
--          exists   it is there already; nothing is changed
-- WRITES   queue
-- EVENTS   none
local rate, opens_at, ends_at = unpack(ARGV)

if redis.call('EXISTS', KEYS[1]) == 1 then return 'exists' end
redis.call('HSET', KEYS[1], 'tail', 0, 'base', 0, 'since', 0, 'rate', rate, 'peak', rate, 'state', 'open',
  'stopped', '0', 'opens_at', opens_at, 'ends_at', ends_at)
return 'created'
