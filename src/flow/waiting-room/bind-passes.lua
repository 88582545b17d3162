-- bind-passes: binds each pass to the one request it is used for (a batch). A pass buys once: it belongs to the
-- buyer, Idempotency-Key and body that came with it first, until that claim is refused (unbind-pass).
-- KEYS     checkouts, then pass (one for each use)
-- ARGV     lifetime (of a bound pass, ms), slot (ms that its holder counts as in checkout from now on), then for each
--          use: member (name in checkouts) request use look_up
--          request: 'order_id key body user_id', key and body are hashes; use names this very call; look_up 1 binds
--          nothing: for a pass that has expired, whose retry is still told the truth
-- RESULTS  one for each use, its first word one of
--          bound
--          repeated    + order_id of the request it is bound to, which is this one
--          foreign     bound to another buyer
--          used        bound to another Idempotency-Key
--          key_reused  the same key with another body
--          expired     no such pass any more, or nothing to look up
-- WRITES   pass checkouts
-- EVENTS   none
local lifetime, slot = ARGV[1], ARGV[2]

local REQUEST = '^%S+ (%S+) (%S+) (.*)$'
-- How a request stands to the one that the pass is bound to. Order ids may differ: only the first one counts.
local function compare(known, request)
  local known_key, known_body, known_user = string.match(known, REQUEST)
  local key, body, user = string.match(request, REQUEST)
  if user ~= known_user then return 'foreign' end
  if key ~= known_key then return 'used' end
  return body == known_body and 'repeated' or 'key_reused'
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local until_then = string.format('%.0f', now + slot)
local results, seen = {}, {}
for i = 1, #KEYS - 1 do
  local key, at = KEYS[1 + i], 3 + (i - 1) * 4
  local member, request, use, look_up = unpack(ARGV, at, at + 3)
  local known, word = redis.pcall('HMGET', key, 'issued_at', 'request'), nil
  if known.err or not known[1] or (not known[2] and look_up == '1') then
    word = 'expired'
  elseif not known[2] then
    redis.call('HSET', key, 'request', request, 'use:' .. use, '1')
    redis.call('PEXPIRE', key, lifetime, 'GT')
    word = 'bound'
  else
    word = compare(known[2], request)
    if word == 'repeated' then
      redis.call('HSET', key, 'use:' .. use, '1')
      word = 'repeated ' .. string.match(known[2], '^%S+')
    end
  end
  results[i] = word
  -- A sign of life in checkout; a pass that is of no use any more is none.
  if word == 'bound' or string.sub(word, 1, 8) == 'repeated' then
    seen[#seen + 1] = until_then
    seen[#seen + 1] = member
  end
end
if #seen > 0 then redis.call('ZADD', KEYS[1], 'XX', 'GT', unpack(seen)) end
return results
