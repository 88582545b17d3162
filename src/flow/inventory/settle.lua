-- settle: a held order was paid; its units are sold. The buyer's entry stays, it counts against the limit.
-- KEYS     stock buyers holds claims outbox
-- ARGV     order_id
-- RESULTS  settled
--          gone      no such hold: settled or released before, or never taken; nothing is changed
--          unloaded  no such item, or a part of it is damaged
-- WRITES   stock holds claims
-- EVENTS   none
local order_id = ARGV[1]

local item = read_item()
if not item then return 'unloaded' end
local claim = redis.call('HGET', claims_key, order_id)
if not claim or not redis.call('ZSCORE', holds_key, order_id) then return 'gone' end
local quantity = string.match(claim, '^(%d+) ')

redis.call('HSET', stock_key, 'held', item.held - quantity, 'sold', item.sold + quantity)
redis.call('ZREM', holds_key, order_id)
redis.call('HDEL', claims_key, order_id)
return 'settled'
