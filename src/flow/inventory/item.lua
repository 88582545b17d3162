-- What every inventory script begins with (scripts.ts puts it in front): an item, read and checked.
-- KEYS  stock (hash), buyers (hash), holds (zset), claims (hash), outbox (stream): one item, one cluster slot
local stock_key, buyers_key, holds_key, claims_key, outbox_key = unpack(KEYS)

-- Milliseconds on this server's clock; a caller's clock is never trusted.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Numbers are written once a batch where they can: each time a script hands one over Redis formats it anew, which
-- costs more than the rest of a claim.
local function text_of(number)
  return string.format('%.0f', number)
end

-- A missing key passes: Redis has no empty hashes, so an item without holds has no holds key.
local function missing_or(wanted, key)
  local found = redis.call('TYPE', key).ok
  return found == wanted or found == 'none'
end

-- The stock with its numbers as numbers (ends_at nil: never). Answers nil, and the script `unloaded`, unless the
-- stock is there with every field readable and no key is of another type: no write can then fail half-way.
local function read_item()
  local sound = missing_or('hash', stock_key) and missing_or('hash', buyers_key) and missing_or('zset', holds_key)
    and missing_or('hash', claims_key) and missing_or('stream', outbox_key)
  if not sound then return nil end
  local names = { 'total', 'available', 'held', 'sold', 'seq', 'epoch', 'opens_at' }
  local values = redis.call('HMGET', stock_key, 'total', 'available', 'held', 'sold', 'seq', 'epoch', 'opens_at',
    'ends_at', 'state', 'sale_id', 'run_id')
  local item = {}
  for index, name in ipairs(names) do
    item[name] = tonumber(values[index])
    if not item[name] then return nil end
  end
  local ends_at, state, sale_id, run_id = unpack(values, 8, 11)
  if not (ends_at and state and sale_id and run_id) then return nil end
  if ends_at ~= '' and not tonumber(ends_at) then return nil end
  item.ends_at, item.state, item.sale_id, item.run_id = tonumber(ends_at), state, sale_id, run_id
  return item
end

-- An event's JSON (contracts/events.ts) is these two and what is its own: the first, with whose order it is; and what the
-- claims of a batch have in common. Only a user_id may hold what JSON has to escape.
local function order_event(type, order_id, user_id)
  local user = string.find(user_id, '[^%w-]') and cjson.encode(user_id) or '"' .. user_id .. '"'
  return '{"type":"' .. type .. '","version":1,"order_id":"' .. order_id .. '","user_id":' .. user
end

local function event_of(item, item_id, quantity, timestamp)
  return ',"item_id":"' .. item_id .. '","sale_id":"' .. item.sale_id .. '","quantity":' .. quantity .. ',"timestamp":'
    .. timestamp
end
