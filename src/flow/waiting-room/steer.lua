-- steer: changes how the line moves, from now on. What was served stays served, no place is lost.
-- KEYS     queue
-- ARGV     rate state stopped opens_at ('' leaves a field as it is)
--          state: open, paused or ended; stopped: 1 while nothing is available, else 0; opens_at in ms
-- RESULTS  changed
--          same      it was so before; nothing is changed
--          unloaded  no such waiting room, or it is damaged; nothing is changed
-- WRITES   queue
-- EVENTS   none
local rate, state, stopped, opens_at = unpack(ARGV)

local now = now_ms()
local q = read_queue(KEYS[1], now)
if not q then return 'unloaded' end
local changes = {}
for field, value in pairs({ rate = rate, state = state, stopped = stopped, opens_at = opens_at }) do
  if value ~= '' and redis.call('HGET', KEYS[1], field) ~= value then
    changes[#changes + 1] = field
    changes[#changes + 1] = value
  end
end
if #changes == 0 then return 'same' end
rebase(KEYS[1], q, now)
if rate ~= '' and tonumber(rate) > q.peak then redis.call('HSET', KEYS[1], 'peak', rate) end
redis.call('HSET', KEYS[1], unpack(changes))
return 'changed'
