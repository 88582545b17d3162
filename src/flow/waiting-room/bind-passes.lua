-- Binds each pass to the one request it is used for (a batch). A pass buys once: it belongs to the first
-- buyer, Idempotency-Key and body that came with it, until that claim is refused (unbind-pass).
-- KEYS[i] queue:{sale}:pass:position  hash
-- ARGV    lifetime of a bound pass (ms); then per pass: order_id, user_id, key (hash), body (hash), look_up (1 | 0)
-- RESULTS per pass: bound order_id | repeated order_id | foreign | used | key_reused | expired
-- EVENTS  none
-- `look_up` binds nothing: it is for a pass that has expired, whose retry must still be told the truth.
local lifetime = ARGV[1]
local results = {}
for i, key in ipairs(KEYS) do
  local at = 2 + (i - 1) * 5
  local order_id, user_id, idempotency_key, body, look_up = unpack(ARGV, at, at + 4)
  if redis.call('TYPE', key).ok ~= 'hash' then
    results[i] = { 'expired' }
  else
    local known = redis.call('HMGET', key, 'order_id', 'user_id', 'key', 'body')
    if not known[1] and look_up == '1' then
      results[i] = { 'expired' }
    elseif not known[1] then
      redis.call('HSET', key, 'order_id', order_id, 'user_id', user_id, 'key', idempotency_key, 'body', body,
        'uses', 1)
      redis.call('PEXPIRE', key, lifetime)
      results[i] = { 'bound', order_id }
    elseif known[2] ~= user_id then
      results[i] = { 'foreign' }
    elseif known[3] ~= idempotency_key then
      results[i] = { 'used' }
    elseif known[4] ~= body then
      results[i] = { 'key_reused' }
    else
      redis.call('HINCRBY', key, 'uses', 1)
      results[i] = { 'repeated', known[1] }
    end
  end
end
return results
