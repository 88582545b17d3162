-- adopt: lifts the fence of an item that reconciliation has checked on the server running now, or sets it.
-- KEYS     stock buyers holds claims outbox
-- ARGV     run_id epoch (the epoch that was checked; an empty run_id is no server's: nothing is claimed any more)
-- RESULTS  adopted   claims that bring this run_id are served; the epoch has risen by one
--          moved_on  the epoch is another: someone was quicker; nothing is changed
--          unloaded  no such item, or a part of it is damaged
-- WRITES   stock
-- EVENTS   none
local run_id, epoch = ARGV[1], tonumber(ARGV[2])

local item = read_item()
if not item then return 'unloaded' end
if item.epoch ~= epoch then return 'moved_on' end

redis.call('HSET', stock_key, 'run_id', run_id, 'epoch', epoch + 1)
return 'adopted'
