import type { Clock } from '../../src/platform/clock.ts'
import { defineScript } from '../../src/platform/lua.ts'
import type { RedisConnection } from '../../src/platform/redis.ts'
import { plant } from './planted.ts'

const KEYS = { time: 'virtual:time', expiring: 'virtual:expiring' }

/** Microseconds between two calls of TIME: as long as a script that stamps many moments takes at least. */
const LATER = 40

/**
 * Stands before every script of the system, which is otherwise sent as it is: TIME tells the virtual time, a little
 * later at each call as no two calls of a real server are told the same, and what expires does so in virtual time.
 */
const VIRTUAL = `
local server = redis
local redis = setmetatable({}, { __index = server })
local function virtual_micros(step) return tonumber(server.call('INCRBY', '${KEYS.time}', step)) end
local function expire_at(key, ms, mode)
  local deadline = math.floor(virtual_micros(0) / 1000) + ms
  if mode == 'GT' then server.call('ZADD', '${KEYS.expiring}', 'GT', deadline, key)
  else server.call('ZADD', '${KEYS.expiring}', deadline, key) end
  return 1
end
function redis.call(...)
  local name, key, duration, mode = ...
  if name == 'TIME' then
    local micros = virtual_micros(${LATER})
    return { string.format('%d', math.floor(micros / 1000000)), string.format('%d', micros % 1000000) }
  end
  if name == 'PEXPIRE' then return expire_at(key, tonumber(duration), mode) end
  if name == 'EXPIRE' then return expire_at(key, duration * 1000, mode) end
  return server.call(...)
end
`

const advance = defineScript({
  name: 'virtualAdvance',
  source: `
local now = tonumber(ARGV[1])
if now * 1000 > tonumber(redis.call('GET', KEYS[1]) or 0) then redis.call('SET', KEYS[1], string.format('%d', now * 1000)) end
local over = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)
for _, key in ipairs(over) do redis.call('DEL', key) end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
return #over`,
  keys: (_: number) => [KEYS.time, KEYS.expiring],
  args: (now) => [now],
  result: Number,
})

export interface VirtualTime {
  readonly clock: Clock
  /** To `now`, in ms since the epoch: for Redis, for whoever sleeps, and for what expires. */
  readonly advance: (now: number) => Promise<void>
  /** How often each script was called, by its name. */
  readonly calls: Readonly<Record<string, number>>
}

/**
 * Puts a connection, before any script was sent over it, under virtual time. `planted` names a bug to put into the scripts.
 */
export async function startVirtualTime(
  { commands }: RedisConnection,
  from: number,
  planted = '',
): Promise<VirtualTime> {
  let now = from
  let sleepers: { readonly until: number; readonly wake: () => void }[] = []
  await advance.run(commands, from)
  const define = commands.defineCommand.bind(commands)
  const calls: Record<string, number> = {}
  const client = commands as unknown as Record<string, (...args: unknown[]) => unknown>
  commands.defineCommand = (name, { lua = '', ...rest }) => {
    const source = plant(planted, name, lua)
    // What a script asks of the server stays on its first line.
    const first = source.startsWith('#!') ? source.slice(0, source.indexOf('\n') + 1) : ''
    define(name, { ...rest, lua: first + VIRTUAL + source.slice(first.length) })
    const send = client[name]
    client[name] = (...args) => {
      calls[name] = (calls[name] ?? 0) + 1
      return send?.apply(commands, args)
    }
  }
  return {
    calls,
    clock: {
      now: () => now,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted) return resolve()
          sleepers.push({ until: now + ms, wake: resolve })
          signal?.addEventListener('abort', () => resolve(), { once: true })
        }),
    },
    advance: async (to) => {
      await advance.run(commands, to)
      now = to
      const woken = sleepers.filter(({ until }) => until <= now)
      sleepers = sleepers.filter(({ until }) => until > now)
      for (const { wake } of woken) wake()
    },
  }
}
