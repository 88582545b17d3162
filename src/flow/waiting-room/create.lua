-- Creates the waiting room of a sale. Safe to repeat: an existing one is left alone.
-- KEYS[1] queue:{sale}   hash
-- ARGV    rate (people per second), opens_at (ms), ends_at (ms or '')
-- RESULTS created | exists
-- EVENTS  none
if redis.call('EXISTS', KEYS[1]) == 1 then return 'exists' end
redis.call('HSET', KEYS[1], 'tail', 0, 'base', 0, 'since', 0, 'rate', ARGV[1], 'state', 'open', 'stopped', '0',
  'opens_at', ARGV[2], 'ends_at', ARGV[3])
return 'created'
