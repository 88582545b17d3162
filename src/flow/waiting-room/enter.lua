-- enter: lets a position in whose turn has come, once. Entering again gives the same answer while the pass lasts.
-- KEYS     queue entered asked pass checkouts askers asked_at passers
-- ARGV     position, lifetime (of the pass, ms), window (ms in which a turn must be taken), cap (people in checkout at
--          most), enough (people in checkout who can take all there is), slot (ms after which somebody in checkout who
--          does nothing no longer counts), member (name in checkouts), units (available right now)
-- RESULTS  entered      + issued_at (ms)
--          too_early    + serving now running
--          full         the turn has come, but there is no room right now (rate, checkout or stock), or only enough
--                       for those further ahead who ask as well
--          turn_lapsed  the line has moved on by a whole window, or the pass that was given has expired
--          paused       by the operator
--          ended        by the operator, or ends_at has passed
--          unloaded     no such waiting room, or it is damaged
-- WRITES   queue entered asked pass checkouts askers asked_at passers
-- EVENTS   none
local position, lifetime, window, cap, enough, slot, member, units = unpack(ARGV)

local now = now_ms()
local key = KEYS[1]
local q = read_queue(key, now)
if not q then return { 'unloaded' } end
close_lobby(key, q, now)
if redis.call('GETBIT', KEYS[2], position) == 1 then
  local issued_at = redis.call('HGET', KEYS[4], 'issued_at')
  if not issued_at then return { 'turn_lapsed' } end
  return { 'entered', tonumber(issued_at) }
end
if q.state ~= 'open' then return { q.state } end
if tonumber(position) > q.serving then return { 'too_early', q.serving, now, q.running and 1 or 0 } end
-- By the highest pace: one that was lowered since must not cut a turn short. Nobody lapses who keeps asking, nor whom
-- standby let through but a moment ago.
local passed_by = q.serving - math.max(position, q.walked)
local late = not q.dormant and passed_by > q.peak * window / 1000
if late and not redis.call('ZSCORE', KEYS[6], position) then return { 'turn_lapsed' } end

local asked = redis.call('GETBIT', KEYS[3], position) == 1
if not asked then redis.call('HINCRBY', key, 'shows', 1) end
redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', now)
forget_silent(now)
adapt(key, q, now, redis.call('ZCARD', KEYS[6]))
local ahead = redis.call('ZCOUNT', KEYS[6], '-inf', '(' .. position)
local in_checkout = redis.call('ZCARD', KEYS[5])
local room = q.stopped == 'stock' and 0 or enough - in_checkout
-- Past those further ahead only while there is a unit for each of them as well. Whoever was passed all the same goes in
-- now, if there is anything left at all: those in checkout may have taken the rest since.
local fits = ahead < math.min(room, units, cap - in_checkout)
-- Tokens and places in checkout are kept for those, from whoever comes only now as well.
local kept = 0
if was_passed(position) then fits = tonumber(units) > 0
-- Counted for those alone who may go in: near a sell-out thousands ask, and it looks at each of them.
elseif fits then kept = ahead + passed_behind(position) end
if not fits or cap - in_checkout <= kept or not (q.dormant or take_token(key, q, now, kept)) then
  keep_asking(position)
  -- Remembered, so that asking again does not count as another turn taken.
  redis.call('SETBIT', KEYS[3], position, 1)
  return { 'full' }
end
pass_others(position, asked)
redis.call('SETBIT', KEYS[2], position, 1)
redis.call('HINCRBY', key, 'entered', 1)
redis.call('HSET', KEYS[4], 'issued_at', now)
-- The end of a pass is rounded up to a whole second.
redis.call('PEXPIRE', KEYS[4], lifetime + 1000)
redis.call('ZADD', KEYS[5], now + slot, member)
return { 'entered', now }
