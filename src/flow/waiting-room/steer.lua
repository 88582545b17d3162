-- Changes how the line moves, from now on: what was served stays served, no place is lost.
-- KEYS[1] queue:{sale}   hash
-- ARGV    rate, state (open | paused | ended), stopped (1 | 0: nothing is available), opens_at (ms);
--         '' leaves a field as it is
-- RESULTS changed | same | unloaded
-- EVENTS  none
local now = now_ms()
local q = read_queue(KEYS[1], now)
if not q then return 'unloaded' end
local changes = {}
for index, field in ipairs({ 'rate', 'state', 'stopped', 'opens_at' }) do
  local value = ARGV[index]
  if value ~= '' and redis.call('HGET', KEYS[1], field) ~= value then
    changes[#changes + 1] = field
    changes[#changes + 1] = value
  end
end
if #changes == 0 then return 'same' end
rebase(KEYS[1], q, now)
redis.call('HSET', KEYS[1], unpack(changes))
return 'changed'
