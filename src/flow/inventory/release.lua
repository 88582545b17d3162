-- release: a held order ended unpaid; its units are available again. The buyer's entry stays with quantity 0, so
-- that a late retry of the order is told `repeated` and takes nothing.
-- KEYS     stock buyers holds claims outbox
-- ARGV     item_id order_id
-- RESULTS  released
--          gone      no such hold: settled or released before, or never taken; nothing is changed
--          unloaded  no such item, or a part of it is damaged
-- WRITES   stock buyers holds claims outbox
-- EVENTS   Restocked
local item_id, order_id = unpack(ARGV)

local item = read_item()
if not item then return 'unloaded' end
local claim = redis.call('HGET', claims_key, order_id)
if not claim or not redis.call('ZSCORE', holds_key, order_id) then return 'gone' end
local quantity, user_id = string.match(claim, '^(%d+) %d+ %d+ %d+ (.*)$')

local entries = {}
for entry_id, active in string.gmatch(redis.call('HGET', buyers_key, user_id) or '', '(%S+):(%d+)') do
  if entry_id ~= order_id then entries[#entries + 1] = entry_id .. ':' .. active end
end
entries[#entries + 1] = order_id .. ':0'

redis.call('XADD', outbox_key, '*', 'event', order_event('Restocked', order_id, user_id)
  .. event_of(item, item_id, quantity, text_of(now_ms())) .. '}')
redis.call('HSET', buyers_key, user_id, table.concat(entries, ' '))
redis.call('HSET', stock_key, 'available', item.available + quantity, 'held', item.held - quantity)
redis.call('ZREM', holds_key, order_id)
redis.call('HDEL', claims_key, order_id)
return 'released'
