-- enter: lets positions in whose turn has come, each once; a batch is decided in its order, later ones see what earlier
-- ones did, as if each had come alone. Entering again gives the same answer while the pass lasts.
-- KEYS     queue entered asked checkouts askers asked_at passers, then pass (one for each try)
-- ARGV     lifetime (of a pass, ms), window (ms in which a turn must be taken), cap (people in checkout at most),
--          enough (people in checkout who can take all there is), slot (ms after which somebody in checkout who does
--          nothing no longer counts), prefix (of a position's name in checkouts), units (available right now), then for
--          each try: position
-- RESULTS  one string for each try, its first word one of
--          entered      + issued_at (ms)
--          too_early    + serving running
--          full         the turn has come, but there is no room right now (rate, checkout or stock), or only enough
--                       for those further ahead who ask as well
--          turn_lapsed  the line has moved on by a whole window, or the pass that was given has expired
--          paused       by the operator
--          ended        by the operator, or ends_at has passed
--          unloaded     no such waiting room, or it is damaged
-- WRITES   queue entered asked pass checkouts askers asked_at passers
-- EVENTS   none
local lifetime, window, cap, enough, slot, prefix, units = unpack(ARGV)
local positions = { unpack(ARGV, 8) }
cap, enough, units = tonumber(cap), tonumber(enough), tonumber(units)

local now, exact = now_ms()
local key, answers = KEYS[1], {}
local q = read_queue(key, now)
if not q then for try = 1, #positions do answers[try] = 'unloaded' end return answers end
close_lobby(key, q, now)
local now_text, until_text = text_of(now), text_of(now + slot)
local entered = read_bits(KEYS[2], positions)
-- Looked up for the first whose turn has come, and for the first who is not too late.
local asked, counts, in_checkout

-- How many are ahead of a position that may go in now; nil where it may not.
local function room_for(position)
  local places = cap - in_checkout
  local tokens = q.dormant and math.huge or math.floor(counts.tokens / TOKEN)
  if math.min(units, places, tokens) < 1 then return nil end
  -- Whoever was passed goes in now, if there is anything left at all: those in checkout may have taken the rest since.
  local passed = was_passed(position)
  local room = math.min(units, places, q.stopped == 'stock' and 0 or enough - in_checkout)
  if not passed and room < 1 then return nil end
  -- Past those further ahead only while there is a unit for each of them as well. Tokens and places in checkout are kept
  -- for those, and for whoever was passed, from whoever comes only now as well.
  local ahead = count_ahead(position, passed and math.huge or math.min(room, tokens))
  if ahead and (passed or has_few_passed(position, math.min(tokens, places) - 1 - ahead)) then return ahead end
end

local function decide(position, pass)
  if let_in[position] then return 'entered ' .. now_text end
  if entered[position] then
    local issued_at = redis.pcall('HGET', pass, 'issued_at')
    return type(issued_at) == 'string' and 'entered ' .. issued_at or 'turn_lapsed'
  end
  if q.state ~= 'open' then return q.state end
  if tonumber(position) > q.serving then return 'too_early ' .. q.serving .. (q.running and ' 1' or ' 0') end
  if not asked then
    read_askers(positions, exact)
    asked = read_bits(KEYS[3], positions)
  end
  if has_lapsed(q, position, window) then return 'turn_lapsed' end
  if not counts then
    in_checkout = count_checkouts(now_text)
    forget_silent(now)
    counts = read_counts(key, q, now)
  end
  if not asked[position] then counts.shows = counts.shows + 1 end
  adapt(key, q, now, asking, counts)
  local ahead = room_for(position)
  if not ahead then
    keep_asking(position)
    remember_asked(asked, position)
    return 'full'
  end
  if not q.dormant then counts.tokens = counts.tokens - TOKEN end
  counts.entered, in_checkout = counts.entered + 1, in_checkout + 1
  pass_others(position, ahead)
  let(position, pass, until_text, prefix)
  return 'entered ' .. now_text
end

for try, position in ipairs(positions) do answers[try] = decide(position, KEYS[7 + try]) end
if counts then
  write_let_in(now_text, text_of(lifetime + 1000))
  write_askers()
  write_counts(key, counts, now)
end
return answers
