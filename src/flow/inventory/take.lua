-- The writing half of claim (scripts.ts puts it between item.lua and claim.lua): what is taken is collected while
-- the batch is decided, and written after it in five kinds of call, so a failing batch leaves nothing written.
local deadline_of, events, holds, claims, buyers = {}, {}, {}, {}, {}

-- Numbers are written once a batch where they can: each time a script hands one over Redis formats it anew, which
-- costs more than the rest of the claim.
local function text_of(number)
  return string.format('%.0f', number)
end

local function append(list, first, second)
  local size = #list
  list[size + 1], list[size + 2] = first, second
end

-- Takes from `item` in memory; answers the entry for the claims hash and the claim's number, and notes the deadline in
-- `deadline_of`.
local function take(item, item_id, order_id, user_id, entries, terms, now)
  local quantity, units, pay_by, deadline = terms.quantity, terms.units, terms.pay_by, terms.deadline
  item.available, item.held, item.seq = item.available - quantity, item.held + quantity, item.seq + 1
  local seq = text_of(item.seq)
  local claim = units .. ' ' .. seq .. ' ' .. now .. ' ' .. pay_by .. ' ' .. user_id
  deadline_of[order_id] = deadline
  append(holds, deadline, order_id)
  append(claims, order_id, claim)
  append(buyers, user_id, entries)
  events[#events + 1] = { 'type', 'OrderCreated', 'version', '1', 'order_id', order_id, 'user_id', user_id,
    'item_id', item_id, 'sale_id', item.sale_id, 'quantity', units, 'timestamp', now, 'amount', terms.amount,
    'currency', terms.currency, 'claim_seq', seq, 'pay_by', pay_by, 'hold_expires_at', deadline }
  return claim, seq
end

local function write_taken(item)
  if #events == 0 then return end
  -- A full memory or an exhausted stream id shows at the first XADD, before anything is changed.
  for _, fields in ipairs(events) do redis.call('XADD', outbox_key, '*', unpack(fields)) end
  redis.call('ZADD', holds_key, unpack(holds))
  redis.call('HSET', claims_key, unpack(claims))
  redis.call('HSET', buyers_key, unpack(buyers))
  redis.call('HSET', stock_key, 'available', item.available, 'held', item.held, 'seq', item.seq)
end
