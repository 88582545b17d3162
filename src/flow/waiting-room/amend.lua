-- amend: how a waiting room begins, as long as nobody has a place in it.
-- KEYS     queue
-- ARGV     secret (of the draw; '' first come, first served) threshold ('' not on standby)
-- RESULTS  amended
--          same      it was so before; nothing is changed
--          taken     somebody has a place; nothing is changed
--          unloaded  no such waiting room, or it is damaged; nothing is changed
-- WRITES   queue
-- EVENTS   none
local secret, threshold = unpack(ARGV)

local key = KEYS[1]
local q = read_queue(key, now_ms())
if not q then return 'unloaded' end
local before = redis.call('HMGET', key, 'secret', 'threshold')
if before[1] == secret and before[2] == threshold then return 'same' end
if q.tail > 0 then return 'taken' end
redis.call('HSET', key, 'secret', secret, 'threshold', threshold, 'dormant', threshold == '' and 0 or 1)
return 'amended'
