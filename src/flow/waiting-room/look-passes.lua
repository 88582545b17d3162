-- look-passes: whether each pass is bound to a request (a batch). Nothing is written: when nothing is left, everybody asks.
-- KEYS     pass (one for each)
-- ARGV     none
-- RESULTS  one for each: 1 bound, 0 not, or not there any more
-- WRITES   none
-- EVENTS   none
local results = {}
for index, key in ipairs(KEYS) do
  results[index] = redis.call('TYPE', key).ok == 'hash' and redis.call('HEXISTS', key, 'order_id') or 0
end
return results
