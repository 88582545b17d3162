-- recover: lifts the fence of a queue that was last used on another Redis process. What may have been lost since is made
-- up for by its mark in SQL: no position is given twice, the line does not go back, and a draw stays as it was held.
-- KEYS     queue
-- ARGV     run_id ceiling serving lobby_size tickets_hash (the last two '' where the mark knows of no opening)
-- RESULTS  recovered
--          same       it is of this very process; nothing is changed
--          unloaded   no such waiting room, or it is damaged; nothing is changed
-- WRITES   queue
-- EVENTS   none
local run_id, ceiling, serving, lobby_size, tickets_hash = unpack(ARGV)

local now = now_ms()
local key = KEYS[1]
local q = read_queue(key, now)
if not q then return 'unloaded' end
if q.run_id == run_id then return 'same' end
q.tail = math.max(q.tail, ceiling)
q.credit = math.max(q.credit, serving)
rebase(key, q, now)
-- Nothing is given before the ceiling is raised.
redis.call('HSET', key, 'tail', q.tail, 'ceiling', q.tail, 'run_id', run_id)
if not q.lobby_size and lobby_size ~= '' then
  redis.call('HSET', key, 'lobby_size', lobby_size, 'tickets_hash', tickets_hash)
end
return 'recovered'
