-- give: takes available units out of this part of an item for another part. What was given, with its number, stays noted
-- here until the next giving: it is on its way for as long as the other part has not taken in that number.
-- KEYS     stock buyers holds claims outbox
-- ARGV     run_id to taken units (to: the other part; taken: the last number from here that it has taken in)
-- RESULTS  given    + number units  (all that are available, where those are fewer)
--          pending  + number units  an earlier one is on its way still; nothing is changed
--          nothing  none is available; nothing is changed
--          fenced   run_id is not the part's; nothing is changed
--          unloaded  no such part, or it is damaged
-- WRITES   stock
-- EVENTS   none
local run_id, to, taken, units = unpack(ARGV)

local item = read_item()
if not item then return 'unloaded' end
if item.run_id ~= run_id then return 'fenced' end
local given = redis.call('HGET', stock_key, 'out:' .. to) or '0 0'
local number = tonumber(string.match(given, '^(%d+) '))
if number > tonumber(taken) then return 'pending ' .. given end
units = math.min(tonumber(units), item.available)
if units <= 0 then return 'nothing' end

-- A part that was lost and written anew numbers on from what the other knows.
given = math.max(number, tonumber(taken)) + 1 .. ' ' .. units
redis.call('HSET', stock_key, 'total', item.total - units, 'available', item.available - units, 'out:' .. to, given)
return 'given ' .. given
