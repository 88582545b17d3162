-- join: hands out positions at the end of the line, to a whole batch at once.
-- KEYS     queue
-- ARGV     count (how many positions)
-- RESULTS  joined    + first position, now (ms)
--          ended     by the operator, or ends_at has passed; nothing is changed
--          unloaded  no such waiting room, or it is damaged; nothing is changed
-- WRITES   queue
-- EVENTS   none
local count = ARGV[1]

local now = now_ms()
local q = read_queue(KEYS[1], now)
if not q then return { 'unloaded' } end
if q.state == 'ended' then return { 'ended' } end
-- Nobody waits: time without anyone in line earns no admissions beyond one.
if q.running and q.credit > q.tail then rebase(KEYS[1], q, now) end
local last = redis.call('HINCRBY', KEYS[1], 'tail', count)
return { 'joined', last - count + 1, now }
