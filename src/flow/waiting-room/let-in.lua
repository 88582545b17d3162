-- The writing half of enter: who is let in, and who asks in vain for the first time, is collected while the batch is
-- decided and written after it, each kind in one call.
local let_in, passes, entering, in_checkouts, first_asks = {}, {}, {}, {}, {}

local function append(list, first, second)
  local size = #list
  list[size + 1], list[size + 2] = first, second
end

-- Which of the positions have their bit set.
local function read_bits(bitmap, positions)
  local gets, set = {}, {}
  for _, position in ipairs(positions) do
    append(gets, 'GET', 'u1')
    gets[#gets + 1] = position
  end
  for index, bit in ipairs(redis.call('BITFIELD_RO', bitmap, unpack(gets))) do set[positions[index]] = bit == 1 end
  return set
end

local function set_bits(bitmap, positions)
  if #positions == 0 then return end
  local sets = {}
  for _, position in ipairs(positions) do
    append(sets, 'SET', 'u1')
    append(sets, position, '1')
  end
  redis.call('BITFIELD', bitmap, unpack(sets))
end

local function count_checkouts(now)
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
  return redis.call('ZCARD', KEYS[4])
end

-- So that asking again does not count as another turn taken.
local function remember_asked(asked, position)
  if not asked[position] then first_asks[#first_asks + 1] = position end
  asked[position] = true
end

local function let(position, pass, until_text, prefix)
  let_in[position] = true
  passes[#passes + 1], entering[#entering + 1] = pass, position
  append(in_checkouts, until_text, prefix .. position)
end

-- The end of a pass is rounded up to a whole second: `lifetime` is a second longer.
local function write_let_in(now, lifetime)
  for _, pass in ipairs(passes) do
    redis.call('HSET', pass, 'issued_at', now)
    redis.call('PEXPIRE', pass, lifetime)
  end
  set_bits(KEYS[2], entering)
  set_bits(KEYS[3], first_asks)
  if #in_checkouts > 0 then redis.call('ZADD', KEYS[4], unpack(in_checkouts)) end
end
