-- set_state: an operator opens, pauses, ends or reschedules an item; what is not named stays.
-- KEYS     stock buyers holds claims outbox
-- ARGV     field and value pairs: state open|paused|ended, opens_at ms, ends_at ms or '' (never)
-- RESULTS  changed   it is now as asked, also where it was so before
--          unloaded  no such item, or a part of it is damaged
-- WRITES   stock
-- EVENTS   none
local states = { open = true, paused = true, ended = true }
local valid = {
  state = function(value) return states[value] end,
  opens_at = tonumber,
  ends_at = function(value) return value == '' or tonumber(value) end,
}

if not read_item() then return 'unloaded' end
for at = 1, #ARGV, 2 do
  local field, value = ARGV[at], ARGV[at + 1]
  assert(valid[field] and valid[field](value), 'set_state: not a valid change')
end
if #ARGV > 0 then redis.call('HSET', stock_key, unpack(ARGV)) end
return 'changed'
