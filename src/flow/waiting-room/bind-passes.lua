-- bind-passes: binds each pass to the one request it is used for (a batch). A pass buys once: it belongs to the
-- buyer, Idempotency-Key and body that came with it first, until that claim is refused (unbind-pass).
-- KEYS     checkouts, then pass (one for each use)
-- ARGV     lifetime (of a bound pass, ms), slot (ms that its holder counts as in checkout from now on), then for each
--          use: member (name in checkouts) order_id user_id key body look_up use
--          key and body are hashes; use names this very call; look_up 1 binds nothing: for a pass that has expired, whose retry is still told
--          the truth
-- RESULTS  one for each use, its first word one of
--          bound       + order_id
--          repeated    + order_id of the request it is bound to, which is this one
--          foreign     bound to another buyer
--          used        bound to another Idempotency-Key
--          key_reused  the same key with another body
--          expired     no such pass any more, or nothing to look up
-- WRITES   pass checkouts
-- EVENTS   none
local lifetime, slot = ARGV[1], ARGV[2]

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local until_then = string.format('%.0f', now + slot)
local results, seen = {}, {}
for i = 1, #KEYS - 1 do
  local key, at = KEYS[1 + i], 3 + (i - 1) * 7
  local member, order_id, user_id, idempotency_key, body, look_up, use = unpack(ARGV, at, at + 6)
  local known = redis.pcall('HMGET', key, 'issued_at', 'order_id', 'user_id', 'key', 'body')
  if known.err or not known[1] or (not known[2] and look_up == '1') then
    results[i] = { 'expired' }
  elseif not known[2] then
    redis.call('HSET', key, 'order_id', order_id, 'user_id', user_id, 'key', idempotency_key, 'body', body,
      'use:' .. use, '1')
    redis.call('PEXPIRE', key, lifetime, 'GT')
    results[i] = { 'bound', order_id }
  elseif known[3] ~= user_id then
    results[i] = { 'foreign' }
  elseif known[4] ~= idempotency_key then
    results[i] = { 'used' }
  elseif known[5] ~= body then
    results[i] = { 'key_reused' }
  else
    redis.call('HSET', key, 'use:' .. use, '1')
    results[i] = { 'repeated', known[2] }
  end
  -- A sign of life in checkout; a pass that is of no use any more is none.
  if results[i][2] then
    seen[#seen + 1] = until_then
    seen[#seen + 1] = member
  end
end
if #seen > 0 then redis.call('ZADD', KEYS[1], 'XX', 'GT', unpack(seen)) end
return results
