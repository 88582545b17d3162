-- create: opens the waiting room of a sale, or the lane of a group, fenced: see `recover`. An existing one is left alone.
-- KEYS     queue
-- ARGV     rate opens_at ends_at ('' never) threshold ('' not on standby) places ('' no limit)
--          secret (of the draw; '' first come, first served) state (open, paused, ended)
-- RESULTS  created
--          exists   nothing is changed
-- WRITES   queue
-- EVENTS   none
local rate, opens_at, ends_at, threshold, places, secret, state = unpack(ARGV)
if redis.call('EXISTS', KEYS[1]) == 1 then return 'exists' end
redis.call('HSET', KEYS[1], 'tail', 0, 'base', 0, 'since', 0, 'rate', rate, 'pace', rate, 'peak', rate, 'show', 1,
  'state', state, 'stopped', 'no', 'opens_at', opens_at, 'ends_at', ends_at, 'lobby_size', '', 'tickets_hash', '',
  'secret', secret, 'dormant', threshold == '' and 0 or 1, 'threshold', threshold, 'places', places,
  'walked', 0, 'run_id', '', 'ceiling', 0)
return 'created'
