-- close_links: units that may be on their way between this part and one that was lost never arrive: their numbers
-- count as taken in. Where they are is up to reconciliation, which counts what is missing.
-- KEYS     stock buyers holds claims outbox
-- ARGV     other number (other: the part that was lost; number: none up to it arrives here or is expected there)
-- RESULTS  closed    also where it was so before
--          unloaded  no such part, or it is damaged
-- WRITES   stock
-- EVENTS   none
local other, number = ARGV[1], tonumber(ARGV[2])

if not read_item() then return 'unloaded' end
local taken, given = redis.call('HGET', stock_key, 'in:' .. other), redis.call('HGET', stock_key, 'out:' .. other)
if number > tonumber(taken or 0) then redis.call('HSET', stock_key, 'in:' .. other, number) end
if number >= tonumber(string.match(given or '0', '^(%d+)')) then
  redis.call('HSET', stock_key, 'out:' .. other, number .. ' 0')
end
return 'closed'
