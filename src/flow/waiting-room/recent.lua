-- Shared head of `join`, over its second key: the position that the latest joins with a client key were given, in a
-- table of fixed size, so that a crowd of any size needs no more memory. Some 500,000 are remembered, for at least 10
-- minutes after the last.
--   recent     65,536 buckets of 8 entries, the newest first; an entry is a tag (8 characters) and a position (4 bytes)
-- A client key is 4 hex digits, its bucket, and its tag. That two different keys share both is one in 10^19.

local TAG, ENTRY, ENTRIES, BUCKETS = 8, 12, 8, 65536
local REMEMBER_S = 600

local function bucket_at(client_key)
  return tonumber(string.sub(client_key, 1, 4), 16) * ENTRY * ENTRIES
end

local function recall(client_key)
  local at = bucket_at(client_key)
  local bucket = redis.call('GETRANGE', KEYS[2], at, at + ENTRY * ENTRIES - 1)
  for i = 1, #bucket, ENTRY do
    if string.sub(bucket, i, i + TAG - 1) == string.sub(client_key, 5) then
      return struct.unpack('>I4', bucket, i + TAG)
    end
  end
end

-- The oldest entry of the bucket falls out.
local function remember(client_key, position)
  local at = bucket_at(client_key)
  local newest = string.sub(client_key, 5) .. struct.pack('>I4', position)
  -- Allocated whole at once: growing bit by bit would copy it again and again.
  if redis.call('EXISTS', KEYS[2]) == 0 then redis.call('SETRANGE', KEYS[2], ENTRY * ENTRIES * BUCKETS - 1, '\0') end
  local others = redis.call('GETRANGE', KEYS[2], at, at + ENTRY * (ENTRIES - 1) - 1)
  redis.call('SETRANGE', KEYS[2], at, newest .. others)
  redis.call('EXPIRE', KEYS[2], REMEMBER_S)
end
