-- rebuild: writes an item anew from the truth that reconciliation has gathered, whatever was left of it, and lifts
-- its fence. The outbox is not touched: its events are part of that truth.
-- KEYS     stock buyers holds claims outbox
-- ARGV     truth, JSON: sale_id total sold seq state opens_at ends_at run_id epoch (the epoch that was seen, 0: none),
--          holds [order_id, deadline, quantity, claim] and buyers [user_id, entries], each as stored;
--          seen (optional): fields and values of the whole stock as it was when the truth was read
--          links (optional): fields 'in:' and 'out:' of a part that was lost; those that are there stay
-- RESULTS  rebuilt       available = total - sold - held; the epoch rises
--          does_not_fit  more is sold and held than there is; nothing is changed
--          moved_on      the item has changed since it was seen: it differs from `seen`, its epoch is another, or its
--                        seq is higher than the truth's; or this rebuild was done before; nothing is changed
--          unloaded      the outbox is damaged, so its events are not known; nothing is changed
-- WRITES   stock buyers holds claims
-- EVENTS   none
local truth = cjson.decode(ARGV[1])

if not missing_or('stream', outbox_key) then return 'unloaded' end
-- Every change of an item shows in its stock, and no script changes one that can not be read.
local hash = redis.call('TYPE', stock_key).ok == 'hash'
local epoch = hash and tonumber(redis.call('HGET', stock_key, 'epoch')) or 0
if truth.seen then
  for field, value in pairs(truth.seen) do
    if not hash or redis.call('HGET', stock_key, field) ~= value then return 'moved_on' end
  end
else
  local item = read_item()
  if item and (item.epoch ~= truth.epoch or item.seq > truth.seq) then return 'moved_on' end
end
local held = 0
for _, hold in ipairs(truth.holds) do held = held + hold[3] end
local available = truth.total - truth.sold - held
if available < 0 then return 'does_not_fit' end

local links = truth.links or {}
local fields = hash and redis.call('HGETALL', stock_key) or {}
for at = 1, #fields, 2 do
  if string.match(fields[at], '^in:') or string.match(fields[at], '^out:') then links[fields[at]] = fields[at + 1] end
end

redis.call('DEL', stock_key, buyers_key, holds_key, claims_key)
redis.call('HSET', stock_key, 'total', truth.total, 'available', available, 'held', held, 'sold', truth.sold,
  'seq', truth.seq, 'state', truth.state, 'opens_at', truth.opens_at, 'ends_at', truth.ends_at,
  'sale_id', truth.sale_id, 'epoch', math.max(truth.epoch, epoch) + 1, 'run_id', truth.run_id)
for field, value in pairs(links) do redis.call('HSET', stock_key, field, value) end
for _, buyer in ipairs(truth.buyers) do redis.call('HSET', buyers_key, buyer[1], buyer[2]) end
for _, hold in ipairs(truth.holds) do
  redis.call('ZADD', holds_key, hold[2], hold[1])
  redis.call('HSET', claims_key, hold[1], hold[4])
end
return 'rebuilt'
