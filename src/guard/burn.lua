-- burn: uses up serial numbers, once each. A block of serials is one bitmap, so a used challenge costs one bit.
-- KEYS     bitmap of a block, for each serial; the same may come again. All of one sale, on one slot
-- ARGV     offset lifetime_ms, for each serial in the order of KEYS: its bit, and for how long it could still be shown
-- RESULTS  one word for each serial, in order
--          burnt  it had not been used
--          used   it had, also by an earlier one of this very call, or by this call when it is repeated
-- WRITES   the bitmaps; each expires when the last of its used serials has
-- EVENTS   none
for _, bitmap in ipairs(KEYS) do
  local found = redis.call('TYPE', bitmap).ok
  assert(found == 'string' or found == 'none', 'burn: not a bitmap')
end

local words = {}
for index, bitmap in ipairs(KEYS) do
  local offset, lifetime_ms = ARGV[2 * index - 1], tonumber(ARGV[2 * index])
  local before = redis.call('SETBIT', bitmap, offset, 1)
  if redis.call('PTTL', bitmap) < lifetime_ms then redis.call('PEXPIRE', bitmap, lifetime_ms) end
  words[index] = before == 0 and 'burnt' or 'used'
end
return words
