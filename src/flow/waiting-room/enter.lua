-- Lets a position in whose turn has come, once. Entering again gives the same answer while the pass lasts.
-- KEYS[1] queue:{sale}                hash
-- KEYS[2] queue:{sale}:entered        bitmap, one bit a position
-- KEYS[3] queue:{sale}:pass:position  hash, lives as long as the pass
-- ARGV    position, pass lifetime (ms)
-- RESULTS entered issued_at | too_early serving now running | turn_lapsed | paused | ended | unloaded
-- EVENTS  none
local position, lifetime = tonumber(ARGV[1]), tonumber(ARGV[2])
local now = now_ms()
local q = read_queue(KEYS[1], now)
if not q then return { 'unloaded' } end
if redis.call('GETBIT', KEYS[2], position) == 1 then
  local issued_at = redis.call('HGET', KEYS[3], 'issued_at')
  if not issued_at then return { 'turn_lapsed' } end
  return { 'entered', tonumber(issued_at) }
end
if q.state ~= 'open' then return { q.state } end
if position > q.serving then return { 'too_early', q.serving, now, q.running and 1 or 0 } end
-- The line has moved on by a whole window since this turn came.
if q.serving - position > q.rate * lifetime / 1000 then return { 'turn_lapsed' } end
redis.call('SETBIT', KEYS[2], position, 1)
redis.call('HSET', KEYS[3], 'issued_at', now)
redis.call('PEXPIRE', KEYS[3], lifetime)
return { 'entered', now }
