-- Hands out positions at the end of the line, to a whole batch at once.
-- KEYS[1] queue:{sale}   hash
-- ARGV[1] how many positions
-- RESULTS joined first_position now | ended | unloaded
-- EVENTS  none
local now = now_ms()
local q = read_queue(KEYS[1], now)
if not q then return { 'unloaded' } end
if q.state == 'ended' then return { 'ended' } end
-- Nobody waits: time without anyone in line earns no admissions beyond one.
if q.running and q.credit > q.tail then rebase(KEYS[1], q, now) end
local count = tonumber(ARGV[1])
local last = redis.call('HINCRBY', KEYS[1], 'tail', count)
return { 'joined', last - count + 1, now }
