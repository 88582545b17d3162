-- claim: takes units for a batch of requests for one item, in their order; later ones see what earlier ones took.
-- KEYS     stock buyers holds claims outbox
-- ARGV     item_id run_id, then for each request: order_id user_id terms
--          terms: 'quantity limit amount currency hold_ms pay_ms' (limit: active units of one buyer), and ' restored'
--          for a claim that was reserved before and lost: the hours of the sale do not matter any more
-- RESULTS  one string for each request, its first word one of
--          reserved         + claim_seq timestamp pay_by hold_expires_at
--          repeated         + quantity (0: released), and while it is held the four of reserved
--          limit_reached    the buyer's active units and these would exceed the limit
--          sold_out         none available, none held: final
--          held_out         none available, some held: they may return
--          not_enough_left  + available
--          not_open         before opens_at
--          paused           by the operator
--          ended            by the operator, or ends_at has passed
--          foreign          another buyer holds this order_id
--          fenced           run_id is not the item's: the server was restarted or replaced since
--          unloaded         no such item, or a part of it is damaged
-- WRITES   stock buyers holds claims outbox
-- EVENTS   OrderCreated for each reserved
local item_id, run_id = ARGV[1], ARGV[2]
local item, answers, order_ids, user_ids, entries_of, claim_of, parsed = read_item(), {}, {}, {}, {}, {}, {}
local refused = not item and 'unloaded' or item.run_id ~= run_id and 'fenced'
for at = 3, #ARGV, 3 do
  answers[#answers + 1] = refused or nil
  order_ids[#order_ids + 1], user_ids[#user_ids + 1] = ARGV[at], ARGV[at + 1]
end
if refused then return answers end

local now = now_ms()
local now_text = text_of(now)
local closed = (item.state == 'ended' or (item.ends_at and now >= item.ends_at)) and 'ended'
  or now < item.opens_at and 'not_open' or item.state ~= 'open' and 'paused'
for index, entries in ipairs(redis.call('HMGET', buyers_key, unpack(user_ids))) do
  entries_of[user_ids[index]] = entries or ''
end
for index, claim in ipairs(redis.call('HMGET', claims_key, unpack(order_ids))) do
  claim_of[order_ids[index]] = claim
end

local function parse(terms)
  local quantity, limit, amount, currency, hold_ms, pay_ms, more =
    string.match(terms, '^([1-9]%d*) (%d+) (%d+) (%a+) (%d+) (%d+)( ?%a*)$')
  assert(quantity, 'claim: terms are not valid')
  parsed[terms] = { quantity = tonumber(quantity), units = quantity, limit = tonumber(limit), amount = amount,
    currency = currency, pay_by = text_of(now + pay_ms), deadline = text_of(now + hold_ms),
    restored = more == ' restored' }
  return parsed[terms]
end

local function repeated(order_id, user_id, quantity)
  local deadline = deadline_of[order_id] or redis.call('ZSCORE', holds_key, order_id)
  local times, holder = string.match(claim_of[order_id] or '', '^%d+ (%d+ %d+ %d+) (.*)$')
  local held = deadline and holder == user_id
  return 'repeated ' .. quantity .. (held and ' ' .. times .. ' ' .. deadline or '')
end

local function decide(order_id, user_id, terms)
  local entries, active = entries_of[user_id], 0
  if entries ~= '' then
    for entry_id, quantity in string.gmatch(entries, '(%S+):(%d+)') do
      if entry_id == order_id then return repeated(order_id, user_id, quantity) end
      active = active + quantity
    end
  end
  if closed and not terms.restored then return closed end
  if active + terms.quantity > terms.limit then return 'limit_reached' end
  if item.available <= 0 then return item.held > 0 and 'held_out' or 'sold_out' end
  if item.available < terms.quantity then return 'not_enough_left ' .. item.available end
  if claim_of[order_id] then return 'foreign' end
  entries_of[user_id] = (entries == '' and '' or entries .. ' ') .. order_id .. ':' .. terms.units
  local claim, seq = take(item, item_id, order_id, user_id, entries_of[user_id], terms, now_text)
  claim_of[order_id] = claim
  return 'reserved ' .. seq .. ' ' .. now_text .. ' ' .. terms.pay_by .. ' ' .. terms.deadline
end

for at = 3, #ARGV, 3 do
  answers[#answers + 1] = decide(ARGV[at], ARGV[at + 1], parsed[ARGV[at + 2]] or parse(ARGV[at + 2]))
end
write_taken(item)
return answers
