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
-- Tokens are counted in whole billionths, as they are written down.
local TOKEN = 1e9

local function measure_anew(key, q, now, shows)
  redis.call('HSET', key, 'ctl_at', text_of(now), 'ctl_serving', text_of(q.serving), 'ctl_shows', shows)
end

-- The counters, and the tokens there are now: at most `rate` more a second, and one second's worth at once.
local function read_counts(key, q, now)
  local f = redis.call('HMGET', key, 'ctl_at', 'ctl_serving', 'ctl_shows', 'shows', 'entered', 'tokens', 'tokens_at')
  for i = 1, 5 do f[i] = tonumber(f[i]) or 0 end
  local burst = math.max(1, q.rate)
  local elapsed = math.max(0, now - math.max(tonumber(f[7]) or now, q.opens_at))
  local tokens = math.min(burst, (tonumber(f[6]) or burst) + q.rate * elapsed / 1000)
  return { began = f[1], served_before = f[2], shows_before = f[3], shows = f[4], entered = f[5],
    tokens = math.floor(tokens * TOKEN + 0.5) }
end

local function write_counts(key, counts, now)
  redis.call('HSET', key, 'shows', text_of(counts.shows), 'entered', text_of(counts.entered),
    'tokens', string.format('%.9f', counts.tokens / TOKEN), 'tokens_at', text_of(now))
end

-- Serves as many more turns as are not taken, so that entries, not turns, converge on the rate.
-- `asking`: how many whose turn has come found no room and ask again.
local function adapt(key, q, now, asking, counts)
  if not q.running or now - counts.began < MEASURE_MS then return end
  local turns = q.serving - counts.served_before
  if turns >= LEAST_TURNS and counts.began >= q.since then
    local share = math.min(1, (counts.shows - counts.shows_before) / turns)
    q.show = math.min(1, math.max(LEAST_SHOW, q.show + WEIGHT * (share - q.show)))
  end
  local pace = math.max(q.rate / 10, q.rate + (q.rate * IN_STORE_S - asking) / CATCH_UP_S) / q.show
  measure_anew(key, q, now, text_of(counts.shows))
  rebase(key, q, now)
  local peak = string.format('%.6f', math.max(q.peak, pace))
  redis.call('HSET', key, 'pace', string.format('%.6f', pace), 'peak', peak, 'show', string.format('%.4f', q.show))
  -- As whoever comes next reads it: rounded.
  q.serving, q.peak, counts.began = math.floor(math.min(q.credit, q.tail)), tonumber(peak), now
end
