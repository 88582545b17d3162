-- reserve: how far positions may be given. SQL knows a ceiling that is at least as high: it is raised there before it is
-- raised here, and lowered here before it is lowered there.
-- KEYS     queue
-- ARGV     run_id (of the Redis process it goes to), ceiling, change (raise, or lower: as far as positions are given)
-- RESULTS  reserved  + the ceiling as it is now
--          fenced    Redis is another process than the queue was last used on; nothing is changed
--          unloaded  no such waiting room, or it is damaged; nothing is changed
-- WRITES   queue
-- EVENTS   none
local run_id, ceiling, change = unpack(ARGV)

local key = KEYS[1]
local q = read_queue(key, now_ms())
if not q then return { 'unloaded' } end
if q.run_id ~= run_id then return { 'fenced' } end
local wanted = math.max(q.tail, tonumber(ceiling))
local changed = change == 'raise' and math.max(q.ceiling, wanted) or math.min(q.ceiling, wanted)
redis.call('HSET', key, 'ceiling', changed)
return { 'reserved', changed }
