-- Shared head of the waiting room's scripts: the serving number as a function of time.
-- A queue hash holds: tail, base, since, rate, peak (the highest rate there was), state, stopped, opens_at, ends_at
-- (times in ms, '' for never).

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- The queue with its numbers as numbers, or nil where it was never created, is damaged, or its key holds something
-- else. `serving` never goes back: not at the end of the sale, and not when the clock does.
local function read_queue(key, now)
  if redis.call('TYPE', key).ok ~= 'hash' then return nil end
  local names = { 'tail', 'base', 'since', 'rate', 'peak', 'opens_at' }
  local values = redis.call('HMGET', key, 'tail', 'base', 'since', 'rate', 'peak', 'opens_at', 'ends_at', 'state',
    'stopped')
  local q = {}
  for index, name in ipairs(names) do
    q[name] = tonumber(values[index])
    if not q[name] then return nil end
  end
  local ends_at, state, stopped = unpack(values, 7, 9)
  if not (ends_at and state and stopped) then return nil end
  q.ends_at = tonumber(ends_at)
  if ends_at ~= '' and not q.ends_at then return nil end

  local over = q.ends_at and now >= q.ends_at
  local moves = state == 'open' and stopped ~= '1'
  q.state = over and 'ended' or state
  q.running = moves and not over and now >= q.opens_at
  q.credit = q.base
  if moves then
    local moved_for = (over and q.ends_at or now) - math.max(q.since, q.opens_at)
    q.credit = q.base + q.rate * math.max(0, moved_for) / 1000
  end
  q.serving = math.floor(math.min(q.credit, q.tail))
  return q
end

-- Starts a new stretch of the function at `now`. An idle waiting room saves up at most one admission.
local function rebase(key, q, now)
  local base = math.min(q.credit, q.tail + 1)
  redis.call('HSET', key, 'base', string.format('%.6f', base), 'since', now)
  q.base, q.since, q.credit = base, now, base
end
