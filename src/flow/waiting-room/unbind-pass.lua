-- unbind-pass: ends one use of a pass, whose claim was refused or never made. With the last of them the pass is free, so
-- that its holder can try again, for another item too.
-- KEYS     pass
-- ARGV     order_id use
-- RESULTS  free   also where it was free or bound to another request
--          bound  another use of the same request is still under way, or may have succeeded
-- WRITES   pass
-- EVENTS   none
local order_id, use = ARGV[1], ARGV[2]

local request = redis.call('HGET', KEYS[1], 'request')
if not request or string.match(request, '^%S+') ~= order_id then return 'free' end
redis.call('HDEL', KEYS[1], 'use:' .. use)
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 4) == 'use:' then return 'bound' end
end
redis.call('HDEL', KEYS[1], 'request')
return 'free'
