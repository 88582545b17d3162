-- Shared head of the waiting room's scripts: the serving number as a function of time.
-- A queue hash holds: tail, base, since, rate, state, stopped, opens_at, ends_at (times in ms, '' for never).

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- The queue as numbers, or nil where it was never created or its key holds something else.
local function read_queue(key, now)
  if redis.call('TYPE', key).ok ~= 'hash' then return nil end
  local f = redis.call('HMGET', key, 'tail', 'base', 'since', 'rate', 'state', 'stopped', 'opens_at', 'ends_at')
  for i = 1, 8 do if not f[i] then return nil end end
  local q = {
    tail = tonumber(f[1]), base = tonumber(f[2]), since = tonumber(f[3]), rate = tonumber(f[4]),
    state = f[5], stopped = f[6] == '1', opens_at = tonumber(f[7]), ends_at = tonumber(f[8]),
  }
  if q.ends_at and now >= q.ends_at then q.state = 'ended' end
  q.running = q.state == 'open' and not q.stopped and now >= q.opens_at
  q.credit = q.base
  if q.running then
    q.credit = q.base + q.rate * (now - math.max(q.since, q.opens_at)) / 1000
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
