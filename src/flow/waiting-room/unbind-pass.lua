-- Frees a pass whose claim was refused, so that its holder can try again, for another item too.
-- Counts uses: while a second request with the same key is still under way the pass stays bound to it.
-- KEYS[1] queue:{sale}:pass:position  hash
-- ARGV[1] order_id
-- RESULTS free | bound
-- EVENTS  none
if redis.call('HGET', KEYS[1], 'order_id') ~= ARGV[1] then return 'free' end
if redis.call('HINCRBY', KEYS[1], 'uses', -1) > 0 then return 'bound' end
redis.call('HDEL', KEYS[1], 'order_id', 'user_id', 'key', 'body', 'uses')
return 'free'
