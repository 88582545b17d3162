-- steer: changes how the line moves, from now on. What was served stays served, no place is lost.
-- KEYS     queue
-- ARGV     rate state stopped opens_at dormant ends_at ('' leaves a field as it is)
--          state: open, paused or ended; stopped: stock while nothing is available, checkout while enough people are in
--          checkout, else no; opens_at in ms; dormant: 1, 0; ends_at in ms, or never
-- RESULTS  changed
--          same      it was so before; nothing is changed
--          opened    the lobby is closed: its opening time can not be changed any more; nothing is changed
--          unloaded  no such waiting room, or it is damaged; nothing is changed
-- WRITES   queue
-- EVENTS   none
local rate, state, stopped, opens_at, dormant, ends_at = unpack(ARGV)

local now = now_ms()
local key = KEYS[1]
local q = read_queue(key, now)
if not q then return 'unloaded' end
close_lobby(key, q, now)
local changes = {}
local wanted = { rate = rate, state = state, stopped = stopped, opens_at = opens_at, dormant = dormant }
if ends_at ~= '' and redis.call('HGET', key, 'ends_at') ~= (ends_at == 'never' and '' or ends_at) then
  changes = { 'ends_at', ends_at == 'never' and '' or ends_at }
end
for field, value in pairs(wanted) do
  if value ~= '' and redis.call('HGET', key, field) ~= value then
    changes[#changes + 1] = field
    changes[#changes + 1] = value
  end
end
if #changes == 0 then return 'same' end
if q.lobby_size and opens_at ~= '' and tonumber(opens_at) > now then return 'opened' end
rebase(key, q, now)
if rate ~= '' then
  local pace = tonumber(rate) / q.show
  redis.call('HSET', key, 'pace', string.format('%.6f', pace), 'peak', string.format('%.6f', math.max(q.peak, pace)))
end
if q.dormant then redis.call('HSET', key, 'walked', q.serving) end
redis.call('HSET', key, unpack(changes))
measure_anew(key, q, now, redis.call('HGET', key, 'shows') or 0)
return 'changed'
