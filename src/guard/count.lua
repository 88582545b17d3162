-- count: adds visits to a table of fixed size and tells how often each was seen (a count-min sketch with
-- conservative update: four rows, one cell of each for a visitor; the answer is never too small, unless it is 255).
-- KEYS     seen
-- ARGV     window_ms cells joins enters, then for each visit: add (1, or 0: only look) and its cell in each of 4 rows
-- RESULTS  total joins enters of the window so far, then for each visit how often it was seen; 255 means 255 or more
-- WRITES   seen: four rows of `cells` bytes, then total, joins and enters as u32; gone window_ms after its first visit
-- EVENTS   none
local seen_key, window_ms, cells = KEYS[1], ARGV[1], tonumber(ARGV[2])
local found = redis.call('TYPE', seen_key).ok
assert(found == 'string' or found == 'none', 'count: not a table')

local read, visits = { 'BITFIELD', seen_key }, {}
for at = 5, #ARGV, 5 do
  local visit = { add = tonumber(ARGV[at]) }
  for row = 1, 4 do
    visit[row] = '#' .. ((row - 1) * cells + tonumber(ARGV[at + row]))
    read[#read + 1], read[#read + 2], read[#read + 3] = 'GET', 'u8', visit[row]
  end
  visits[#visits + 1] = visit
end

local value, write, counts, added = {}, {}, {}, 0
if #visits > 0 then
  local values = redis.call(unpack(read))
  for index, visit in ipairs(visits) do
    for row = 1, 4 do value[visit[row]] = values[4 * (index - 1) + row] end
  end
end
for index, visit in ipairs(visits) do
  local least = math.min(value[visit[1]], value[visit[2]], value[visit[3]], value[visit[4]])
  local count = math.min(least + visit.add, 255)
  added = added + visit.add
  for row = 1, 4 do
    if value[visit[row]] < count then value[visit[row]], write[visit[row]] = count, count end
  end
  counts[index] = count
end

local base = cells * 32
local change = { 'BITFIELD', seen_key, 'OVERFLOW', 'SAT', 'INCRBY', 'u32', base, added,
  'INCRBY', 'u32', base + 32, ARGV[3], 'INCRBY', 'u32', base + 64, ARGV[4] }
for cell, count in pairs(write) do
  local size = #change
  change[size + 1], change[size + 2], change[size + 3], change[size + 4] = 'SET', 'u8', cell, count
end
local totals = redis.call(unpack(change))
if redis.call('PTTL', seen_key) < 0 then redis.call('PEXPIRE', seen_key, window_ms) end
return { totals[1], totals[2], totals[3], unpack(counts) }
