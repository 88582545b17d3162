-- The writing half of claim (scripts.ts puts it between item.lua and claim.lua): what is taken is collected while
-- the batch is decided, and written after it in five kinds of call, so a failing batch leaves nothing written.
local deadline_of, events, holds, claims, buyers = {}, {}, {}, {}, {}

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
  terms.in_event = terms.in_event or event_of(item, item_id, units, now) .. ',"amount":' .. terms.amount .. ',"currency":"'
    .. terms.currency .. '","pay_by":' .. pay_by .. ',"hold_expires_at":' .. deadline .. ',"claim_seq":'
  events[#events + 1] = order_event('OrderCreated', order_id, user_id) .. terms.in_event .. seq .. '}'
  return claim, seq
end

local function write_taken(item)
  if #events == 0 then return end
  -- A full memory or an exhausted stream id shows at the first XADD, before anything is changed.
  for _, event in ipairs(events) do redis.call('XADD', outbox_key, '*', 'event', event) end
  redis.call('ZADD', holds_key, unpack(holds))
  redis.call('HSET', claims_key, unpack(claims))
  redis.call('HSET', buyers_key, unpack(buyers))
  redis.call('HSET', stock_key, 'available', item.available, 'held', item.held, 'seq', item.seq)
end
