-- take_in: adds units to this part of an item, once for each number of where they come from.
-- KEYS     stock buyers holds claims outbox
-- ARGV     run_id from number units (from: another part, or 'sql' for units that are there and in no part)
-- RESULTS  taken_in
--          known     this number or a later one was taken in before; nothing is changed
--          fenced    run_id is not the part's; nothing is changed
--          unloaded  no such part, or it is damaged
-- WRITES   stock
-- EVENTS   none
local run_id, from, number, units = unpack(ARGV)

local item = read_item()
if not item then return 'unloaded' end
if item.run_id ~= run_id then return 'fenced' end
if tonumber(number) <= tonumber(redis.call('HGET', stock_key, 'in:' .. from) or 0) then return 'known' end

redis.call('HSET', stock_key, 'total', item.total + units, 'available', item.available + units, 'in:' .. from, number)
return 'taken_in'
