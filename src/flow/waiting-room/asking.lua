-- Shared head of `enter`, over its keys: those whose turn has come but who found no room, and keep asking.
--   askers     their positions
--   asked_at   when each asked last (ms and fractions: no two are the same)
--   passers    positions let in past others and when, but for those after which a higher one was let in
-- What a batch changes of the first two is kept in mind, and written before they are counted and at its end.

-- Whoever has not asked again for so long does not stand before anybody.
local ASKS_AGAIN_MS = 3000
-- Between two of one batch, which takes longer than all of them.
local APART_MS = 0.0005

-- `last_asked`: when those of the batch asked last, by position.
local last_asked, asking, last_pass, stamp = {}, 0, nil, 0
local new_askers, new_times, gone = {}, {}, {}
local crowded_from = math.huge

local function next_stamp()
  stamp = stamp + APART_MS
  return string.format('%.4f', stamp)
end

local function read_askers(positions, exact)
  stamp = exact
  for index, at in ipairs(redis.call('ZMSCORE', KEYS[6], unpack(positions))) do
    last_asked[positions[index]] = tonumber(at)
  end
end

local function write_askers()
  if #new_askers > 0 then redis.call('ZADD', KEYS[5], unpack(new_askers)) end
  if #new_times > 0 then redis.call('ZADD', KEYS[6], unpack(new_times)) end
  if #gone > 0 then
    redis.call('ZREM', KEYS[5], unpack(gone))
    redis.call('ZREM', KEYS[6], unpack(gone))
  end
  new_askers, new_times, gone = {}, {}, {}
end

local function forget_silent(now)
  local silent_since, some = text_of(now - ASKS_AGAIN_MS), nil
  repeat
    some = redis.call('ZRANGEBYSCORE', KEYS[6], '-inf', silent_since, 'LIMIT', 0, 1000)
    for _, silent in ipairs(some) do last_asked[silent] = nil end
    gone = some
    write_askers()
  until #some < 1000
  asking = redis.call('ZCARD', KEYS[5])
  redis.call('ZREMRANGEBYSCORE', KEYS[7], '-inf', silent_since)
  last_pass = tonumber(redis.call('ZRANGE', KEYS[7], -1, -1, 'WITHSCORES')[2])
end

-- By the highest pace: one that was lowered since must not cut a turn short. Nobody lapses who keeps asking, nor whom
-- standby let through but a moment ago.
local function has_lapsed(q, position, window)
  local passed_by = q.serving - math.max(position, q.walked)
  return not q.dormant and passed_by > q.peak * window / 1000 and not last_asked[position]
end

-- Whether somebody further back was let in since this position asked last.
local function was_passed(position)
  local asked_at = last_asked[position]
  if not (asked_at and last_pass and last_pass >= asked_at) then return false end
  -- The first after that time is the highest.
  local highest = redis.call('ZRANGEBYSCORE', KEYS[7], asked_at, '+inf', 'LIMIT', 0, 1)[1]
  return tonumber(highest) > tonumber(position)
end

-- How many further ahead ask as well; nil where they are `too_many`. Then they are for everybody further back, too,
-- until somebody goes in: nobody counts again.
local function count_ahead(position, too_many)
  if asking == 0 then return 0 end
  if too_many < math.huge and tonumber(position) >= crowded_from then return nil end
  write_askers()
  local ahead = redis.call('ZCOUNT', KEYS[5], '-inf', '(' .. position)
  if ahead < too_many then return ahead end
  crowded_from = tonumber(position)
end

-- Whether no more than `most` behind this position were passed since they asked; a hundred are as many as can be.
local function has_few_passed(position, most)
  if most < 0 then return false end
  if most >= 100 or asking == 0 or not last_pass then return true end
  local passers = redis.call('ZRANGE', KEYS[7], 0, -1, 'WITHSCORES')
  local askers = redis.call('ZRANGEBYSCORE', KEYS[6], '-inf', passers[#passers], 'WITHSCORES')
  local own, count, first = tonumber(position), 0, 1
  for i = 1, #askers, 2 do
    local asker, asked_at = tonumber(askers[i]), tonumber(askers[i + 1])
    while tonumber(passers[first + 1]) < asked_at do first = first + 2 end
    if asker > own and asker < tonumber(passers[first]) then count = count + 1 end
    if count > most then return false end
  end
  return true
end

local function keep_asking(position)
  if not last_asked[position] then
    asking = asking + 1
    append(new_askers, position, position)
  end
  append(new_times, next_stamp(), position)
  last_asked[position] = stamp
end

-- This position is let in, past so many who ask.
local function pass_others(position, ahead)
  if last_asked[position] then
    asking, last_asked[position] = asking - 1, nil
    gone[#gone + 1] = position
  end
  crowded_from = math.huge
  if ahead == 0 then return end
  local last = redis.call('ZRANGE', KEYS[7], -1, -1)[1]
  while last and tonumber(last) < tonumber(position) do
    redis.call('ZREM', KEYS[7], last)
    last = redis.call('ZRANGE', KEYS[7], -1, -1)[1]
  end
  redis.call('ZADD', KEYS[7], next_stamp(), position)
  last_pass = stamp
end
