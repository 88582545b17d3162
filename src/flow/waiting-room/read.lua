-- read: the waiting room as everybody sees it. Closes the lobby when the sale has opened.
-- KEYS     queue checkouts
-- ARGV     none
-- RESULTS  open      + serving tail rate pace show opens_at now running dormant entered in_checkout lobby_size
--                      tickets_hash secret (these three '' until the sale opens) run_id ceiling
--          paused    + the same
--          ended     + the same
--          unloaded  no such waiting room, or it is damaged
-- WRITES   queue
-- EVENTS   none
local now = now_ms()
local q = read_queue(KEYS[1], now)
if not q then return { 'unloaded' } end
close_lobby(KEYS[1], q, now)
local f = redis.call('HMGET', KEYS[1], 'entered', 'tickets_hash', 'secret')
local in_checkout = redis.call('ZCOUNT', KEYS[2], now, '+inf')
return { q.state, q.serving, q.tail, tostring(q.rate), tostring(q.pace), tostring(q.show), q.opens_at, now,
  q.running and 1 or 0, q.dormant and 1 or 0, f[1] or 0, in_checkout, q.lobby_size or '',
  q.lobby_size and f[2] or '', q.lobby_size and f[3] or '', q.run_id or '', q.ceiling }
