-- lower: fewer units are there than was thought; they are taken back at once, whatever else is going on.
-- KEYS     stock buyers holds claims outbox
-- ARGV     units (there are; never raises the total, which is for rebuild when nothing moves)
-- RESULTS  lowered   total is units, fewer are available; the epoch rises
--          oversold  more is held and sold than there is: nothing is available, total is what is held and sold, and
--                    nothing is claimed on any server (run_id is empty) until reconciliation finds that it fits
--          kept      the total was no higher before; nothing is changed
--          unloaded  no such item, or a part of it is damaged
-- WRITES   stock
-- EVENTS   none
local units = tonumber(ARGV[1])

local item = read_item()
if not item then return 'unloaded' end
local taken = item.held + item.sold
local fits = units >= taken
local total = fits and units or taken
if item.total <= total and (fits or item.run_id == '') then return 'kept' end

redis.call('HSET', stock_key, 'total', total, 'available', total - taken, 'epoch', item.epoch + 1,
  'run_id', fits and item.run_id or '')
return fits and 'lowered' or 'oversold'
