-- Shared head of the waiting room's scripts: the serving number as a function of time.
-- A queue hash holds
--   tail base since pace peak   the line: last position, and the serving number from `since` (ms) on, `pace` a second;
--                               `peak` is the highest pace there was
--   rate show                   people to let in per second, and the share of turns that are taken (0..1)
--   state stopped               the operator's hand (open, paused, ended); what there is no room for: 'stock' while
--                               nothing is available, 'checkout' while enough people are in checkout, else 'no'
--   opens_at ends_at            ms, '' for never
--   lobby_size tickets_hash     '' until the sale opens; rolling hash over the tickets of the lobby
--   secret places               of the draw, '' for none; most positions there are, '' for no limit
--   dormant threshold           1 while everybody walks through, until more than `threshold` arrive in a second
--   arrivals arrivals_at        on standby: how many arrived in the second that began then
--   walked                      the last position that walked through on standby
--   run_id ceiling              of the Redis process it was last used on, '' for none yet; no position is given beyond
-- and the counters of admission.lua.

-- Whole ms, and with fractions.
local function now_ms()
  local time = redis.call('TIME')
  local seconds, micros = tonumber(time[1]), tonumber(time[2])
  return seconds * 1000 + math.floor(micros / 1000), seconds * 1000 + micros / 1000
end

-- A number handed to a command is formatted by Redis, with all its digits: slowly.
local function text_of(number)
  return string.format('%.0f', number)
end

-- The queue with its numbers as numbers, or nil where it was never created, is damaged, or its key holds something
-- else. `serving` never goes back: not at the end of the sale, and not when the clock does.
local function read_queue(key, now)
  if redis.call('TYPE', key).ok ~= 'hash' then return nil end
  local names = { 'tail', 'base', 'since', 'pace', 'peak', 'rate', 'show', 'opens_at', 'walked', 'ceiling' }
  local values = redis.call('HMGET', key, 'tail', 'base', 'since', 'pace', 'peak', 'rate', 'show', 'opens_at',
    'walked', 'ceiling', 'ends_at', 'state', 'stopped', 'lobby_size', 'dormant', 'threshold', 'run_id')
  local q = {}
  for index, name in ipairs(names) do
    q[name] = tonumber(values[index])
    if not q[name] then return nil end
  end
  local ends_at, state, stopped, lobby_size, dormant = unpack(values, 11, 15)
  if not (ends_at and state and stopped and lobby_size and dormant) then return nil end
  q.ends_at = tonumber(ends_at)
  if ends_at ~= '' and not q.ends_at then return nil end

  local over = q.ends_at and now >= q.ends_at
  local moves = state == 'open' and stopped == 'no'
  q.state = over and 'ended' or state
  q.stopped = stopped
  q.run_id = values[17]
  q.running = moves and not over and now >= q.opens_at
  q.lobby_size = tonumber(lobby_size)
  -- A lobby arrives all at once, when the sale opens.
  local small = q.lobby_size or now < q.opens_at or q.tail <= (tonumber(values[16]) or math.huge)
  q.dormant = dormant == '1' and small
  q.credit = q.base
  if moves then
    local moved_for = (over and q.ends_at or now) - math.max(q.since, q.opens_at)
    q.credit = q.base + q.pace * math.max(0, moved_for) / 1000
  end
  if q.dormant and moves and now >= q.opens_at then q.credit = q.tail end
  q.serving = math.floor(math.min(q.credit, q.tail))
  return q
end

-- Starts a new stretch of the function at `now`. An idle waiting room saves up at most one admission.
local function rebase(key, q, now)
  local base = string.format('%.6f', math.min(q.credit, q.tail + 1))
  redis.call('HSET', key, 'base', base, 'since', text_of(now))
  q.base, q.since, q.credit = tonumber(base), now, tonumber(base)
end

-- The first script that runs after the opening closes the lobby: from then on its size, and with it the draw, is fixed
-- for everybody at once.
local function close_lobby(key, q, now)
  if q.lobby_size or now < q.opens_at then return end
  q.lobby_size = q.tail
  redis.call('HSET', key, 'lobby_size', q.tail, 'dormant', q.dormant and 1 or 0)
end
