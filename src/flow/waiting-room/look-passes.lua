-- look-passes: whether each pass is bound to a request (a batch). Nothing is written: when nothing is left, everybody asks.
-- KEYS     pass (one for each)
-- ARGV     none
-- RESULTS  one word for each
--          bound
--          unused  or not there any more
-- WRITES   none
-- EVENTS   none
local results = {}
for index, key in ipairs(KEYS) do
  local is_bound = redis.call('TYPE', key).ok == 'hash' and redis.call('HEXISTS', key, 'request') == 1
  results[index] = is_bound and 'bound' or 'unused'
end
return results
