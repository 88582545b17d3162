-- Shared head of `enter`, over its keys: those whose turn has come but who found no room, and keep asking.
--   askers     their positions
--   asked_at   when each asked last (ms and fractions: no two are the same)
--   passers    positions let in past others and when, but for those after which a higher one was let in

-- Whoever has not asked again for so long does not stand before anybody.
local ASKS_AGAIN_MS = 3000

local function exact_now()
  local time = redis.call('TIME')
  return string.format('%.3f', tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000)
end

local function forget_silent(now)
  for _, silent in ipairs(redis.call('ZRANGEBYSCORE', KEYS[7], '-inf', now - ASKS_AGAIN_MS)) do
    redis.call('ZREM', KEYS[6], silent)
    redis.call('ZREM', KEYS[7], silent)
  end
  redis.call('ZREMRANGEBYSCORE', KEYS[8], '-inf', now - ASKS_AGAIN_MS)
end

-- Whether somebody further back was let in since this position asked last.
local function was_passed(position)
  local asked_at = redis.call('ZSCORE', KEYS[7], position)
  -- The first after that time is the highest.
  local highest = asked_at and redis.call('ZRANGEBYSCORE', KEYS[8], asked_at, '+inf', 'LIMIT', 0, 1)[1]
  return highest and tonumber(highest) > tonumber(position)
end

-- How many behind this position were passed since they asked; more than a hundred are not counted.
local function passed_behind(position)
  local last = redis.call('ZRANGE', KEYS[8], -1, -1, 'WITHSCORES')[2]
  local count = 0
  for _, asker in ipairs(last and redis.call('ZRANGEBYSCORE', KEYS[7], '-inf', last) or {}) do
    if tonumber(asker) > tonumber(position) and was_passed(asker) then count = count + 1 end
    if count == 100 then break end
  end
  return count
end

local function keep_asking(position)
  redis.call('ZADD', KEYS[6], position, position)
  redis.call('ZADD', KEYS[7], exact_now(), position)
end

-- This position is let in; `asked` before, in vain.
local function pass_others(position, asked)
  if asked then
    redis.call('ZREM', KEYS[6], position)
    redis.call('ZREM', KEYS[7], position)
  end
  if redis.call('ZCOUNT', KEYS[6], '-inf', '(' .. position) == 0 then return end
  local last = redis.call('ZRANGE', KEYS[8], -1, -1)[1]
  while last and tonumber(last) < tonumber(position) do
    redis.call('ZREM', KEYS[8], last)
    last = redis.call('ZRANGE', KEYS[8], -1, -1)[1]
  end
  redis.call('ZADD', KEYS[8], exact_now(), position)
end
