-- read: the waiting room as everybody sees it.
-- KEYS     queue
-- ARGV     none
-- RESULTS  open      + serving tail rate opens_at now running
--          paused    + the same
--          ended     + the same
--          unloaded  no such waiting room, or it is damaged
-- WRITES   none
-- EVENTS   none
local now = now_ms()
local q = read_queue(KEYS[1], now)
if not q then return { 'unloaded' } end
return { q.state, q.serving, q.tail, tostring(q.rate), q.opens_at, now, q.running and 1 or 0 }
