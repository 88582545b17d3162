-- unbind-pass: frees a pass whose claim was refused, so that its holder can try again, for another item too.
-- KEYS     pass
-- ARGV     order_id
-- RESULTS  free   also where it was free or bound to another request
--          bound  another use of the same request is still under way, or may have succeeded
-- WRITES   pass
-- EVENTS   none
local order_id = ARGV[1]

if redis.call('HGET', KEYS[1], 'order_id') ~= order_id then return 'free' end
if redis.call('HINCRBY', KEYS[1], 'uses', -1) > 0 then return 'bound' end
redis.call('HDEL', KEYS[1], 'order_id', 'user_id', 'key', 'body', 'uses')
return 'free'
