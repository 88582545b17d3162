-- enter: lets a position in whose turn has come, once. Entering again gives the same answer while the pass lasts.
-- KEYS     queue entered pass
-- ARGV     position lifetime (of the pass, ms)
-- RESULTS  entered      + issued_at (ms)
--          too_early    + serving now running
--          turn_lapsed  the line has moved on by a whole window, or the pass that was given has expired
--          paused       by the operator
--          ended        by the operator, or ends_at has passed
--          unloaded     no such waiting room, or it is damaged
-- WRITES   entered pass
-- EVENTS   none
local position, lifetime = unpack(ARGV)

local now = now_ms()
local q = read_queue(KEYS[1], now)
if not q then return { 'unloaded' } end
if redis.call('GETBIT', KEYS[2], position) == 1 then
  local issued_at = redis.call('HGET', KEYS[3], 'issued_at')
  if not issued_at then return { 'turn_lapsed' } end
  return { 'entered', tonumber(issued_at) }
end
if q.state ~= 'open' then return { q.state } end
if tonumber(position) > q.serving then return { 'too_early', q.serving, now, q.running and 1 or 0 } end
-- By the highest rate: a rate that was lowered since must not cut a turn short.
if q.serving - position > q.peak * lifetime / 1000 then return { 'turn_lapsed' } end
redis.call('SETBIT', KEYS[2], position, 1)
redis.call('HSET', KEYS[3], 'issued_at', now)
-- The end of a pass is rounded up to a whole second.
redis.call('PEXPIRE', KEYS[3], lifetime + 1000)
return { 'entered', now }
