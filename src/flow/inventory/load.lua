-- load: creates an item with all its units available. Never overwrites.
-- KEYS     stock buyers holds claims outbox
-- ARGV     sale_id total state opens_at ends_at run_id seq (times in ms; ends_at '' means never; claims are numbered
--          on from seq)
-- RESULTS  loaded
--          exists   the item, or anything left of one, is there already; nothing is changed
-- WRITES   stock
-- EVENTS   none
local sale_id, total, state, opens_at, ends_at, run_id, seq = unpack(ARGV)

-- Holds or unread events without a stock are what a damaged item leaves; selling its total anew would oversell.
if redis.call('EXISTS', stock_key, buyers_key, holds_key, claims_key) > 0 then return 'exists' end
-- An empty stream is only the consumer group of a relay that was quicker than us.
if not missing_or('stream', outbox_key) or redis.call('XLEN', outbox_key) > 0 then return 'exists' end

redis.call('HSET', stock_key, 'total', total, 'available', total, 'held', 0, 'sold', 0, 'seq', seq, 'state', state,
  'opens_at', opens_at, 'ends_at', ends_at, 'sale_id', sale_id, 'epoch', 1, 'run_id', run_id)
return 'loaded'
