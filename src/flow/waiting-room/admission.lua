-- Shared by the scripts that let people in or change how fast: no-shows do not waste the rate.
--   shows entered            turns that were asked for, and those let in
--   ctl_at ctl_serving ctl_shows   where the present measurement of the share of shows began
--   tokens tokens_at         what may still enter right now: at most one second's worth saved up

local MEASURE_MS = 2000
-- Turns below which a share says nothing, the weight of a new measurement, and the least share that is believed.
local LEAST_TURNS, WEIGHT, LEAST_SHOW = 5, 0.3, 0.1
-- Those whose turn came but who found no token are let in first: within so many seconds.
local CATCH_UP_S = 5
-- So many seconds' worth of people are kept asking: where nobody does, a token that could let somebody in is wasted.
local IN_STORE_S = 1

local function measure_anew(key, q, now, shows)
  redis.call('HSET', key, 'ctl_at', now, 'ctl_serving', q.serving, 'ctl_shows', shows)
end

-- Serves as many more turns as are not taken, so that entries, not turns, converge on the rate.
-- `asking`: how many whose turn has come found no room and ask again.
local function adapt(key, q, now, asking)
  local f = redis.call('HMGET', key, 'ctl_at', 'ctl_serving', 'ctl_shows', 'shows')
  for i = 1, 4 do f[i] = tonumber(f[i]) or 0 end
  local began, served_before, shows_before, shows = unpack(f)
  if not q.running or now - began < MEASURE_MS then return end
  local turns = q.serving - served_before
  if turns >= LEAST_TURNS and began >= q.since then
    local share = math.min(1, (shows - shows_before) / turns)
    q.show = math.min(1, math.max(LEAST_SHOW, q.show + WEIGHT * (share - q.show)))
  end
  local pace = math.max(q.rate / 10, q.rate + (q.rate * IN_STORE_S - asking) / CATCH_UP_S) / q.show
  rebase(key, q, now)
  q.pace, q.peak = pace, math.max(q.peak, pace)
  redis.call('HSET', key, 'pace', string.format('%.6f', pace), 'peak', string.format('%.6f', q.peak),
    'show', string.format('%.4f', q.show))
  measure_anew(key, q, now, shows)
end

-- Takes one token, at most `rate` a second and one second's worth at once, and leaves `reserved` for others. False: not
-- right now.
local function take_token(key, q, now, reserved)
  local f = redis.call('HMGET', key, 'tokens', 'tokens_at')
  local burst = math.max(1, q.rate)
  local tokens = tonumber(f[1]) or burst
  local elapsed = math.max(0, now - math.max(tonumber(f[2]) or now, q.opens_at))
  tokens = math.min(burst, tokens + q.rate * elapsed / 1000)
  local taken = tokens >= 1 + reserved
  if taken then tokens = tokens - 1 end
  redis.call('HSET', key, 'tokens', string.format('%.6f', tokens), 'tokens_at', now)
  return taken
end
