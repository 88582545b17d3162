-- join: hands out positions at the end of the line, to a whole batch at once. Before the opening they are indices of
-- the lobby, from the same counter.
-- KEYS     queue recent (of the sale: shared by its lanes)
-- ARGV     run_id (of the Redis process the joins go to), hash over the batch's tickets, then a client_key or '' for
--          each
-- RESULTS  joined    + now (ms), size of the lobby ('' until the sale opens), position for each (0: the lane is full)
--          ended     by the operator, or ends_at has passed; nothing is changed
--          reserve   + tail; the ceiling has to be raised first; nothing is changed
--          fenced    Redis is another process than the queue was last used on; nothing is changed
--          unloaded  no such waiting room, or it is damaged; nothing is changed
-- WRITES   queue recent
-- EVENTS   none
local run_id, hash = ARGV[1], ARGV[2]

local now = now_ms()
local key = KEYS[1]
local q = read_queue(key, now)
if not q then return { 'unloaded' } end
if q.state == 'ended' then return { 'ended' } end
if q.run_id ~= run_id then return { 'fenced' } end
if q.tail + #ARGV - 2 > q.ceiling then return { 'reserve', q.tail } end
close_lobby(key, q, now)

-- Whoever asks again with the same key, because the answer was lost, has a place already.
local positions, fresh = {}, 0
local left = (tonumber(redis.call('HGET', key, 'places')) or math.huge) - q.tail
for i = 1, #ARGV - 2 do
  local client_key = ARGV[2 + i]
  local known = client_key ~= '' and recall(client_key)
  if known then
    positions[i] = known
  elseif fresh >= left then
    positions[i] = 0
  else
    fresh = fresh + 1
    positions[i] = q.tail + fresh
    if client_key ~= '' then remember(client_key, positions[i]) end
  end
end
if fresh == 0 then return { 'joined', now, q.lobby_size or '', unpack(positions) } end

-- Nobody waits: time without anyone in line earns no admissions beyond one.
if q.running and q.credit > q.tail then rebase(key, q, now) end
if q.dormant and q.running then
  local f = redis.call('HMGET', key, 'arrivals_at', 'arrivals', 'threshold')
  local same_second = now - (tonumber(f[1]) or 0) < 1000
  local arrivals = (same_second and tonumber(f[2]) or 0) + fresh
  redis.call('HSET', key, 'arrivals_at', same_second and f[1] or now, 'arrivals', arrivals)
  if arrivals > tonumber(f[3]) then
    redis.call('HSET', key, 'dormant', 0, 'walked', q.tail)
    rebase(key, q, now)
  end
end
if not q.lobby_size then
  redis.call('HSET', key, 'tickets_hash', redis.sha1hex(redis.call('HGET', key, 'tickets_hash') .. hash))
end
redis.call('HINCRBY', key, 'tail', fresh)
return { 'joined', now, q.lobby_size or '', unpack(positions) }
