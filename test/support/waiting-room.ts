import { expect } from 'bun:test'
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { keys, MAIN_LANE } from '../../src/flow/waiting-room/keys.ts'
import type { RedisCommands } from '../../src/platform/redis.ts'
import { argumentsRead, parseHeader } from './lua-header.ts'

/** Everything Redis holds of a waiting room and its lanes, by key; strings as their hash. */
export async function dumpQueue(commands: RedisCommands, sale: string): Promise<Record<string, unknown>> {
  const read: Record<string, (key: string) => Promise<unknown>> = {
    hash: (key) => commands.hgetall(key),
    zset: (key) => commands.zrange(key, 0, '-1', 'WITHSCORES'),
    string: async (key) =>
      createHash('sha256')
        .update((await commands.getBuffer(key)) ?? '')
        .digest('hex'),
  }
  const found: Record<string, unknown> = {}
  for (const key of (await commands.keys(`${keys.queue(sale, MAIN_LANE)}*`)).sort())
    found[key] = await read[await commands.type(key)]?.(key)
  return found
}

const LET_PASS = `
for i, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  if kind == 'hash' then
    for _, field in ipairs({ 'since', 'opens_at', 'ends_at', 'ctl_at', 'tokens_at', 'arrivals_at' }) do
      if tonumber(redis.call('HGET', key, field) or '') then redis.call('HINCRBY', key, field, -ARGV[1]) end
    end
  elseif kind == 'zset' then
    for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do redis.call('ZINCRBY', key, -ARGV[1], member) end
  end
end`

/**
 * Lets time pass for one waiting room and the given lanes: only differences to now count, so moving its times back is
 * the same as waiting. Passes keep their life.
 */
export async function letPass(
  commands: RedisCommands,
  sale: string,
  ms: number,
  lanes: readonly string[] = [MAIN_LANE],
): Promise<void> {
  const timed = [
    keys.checkouts(sale),
    ...lanes.flatMap((lane) => [keys.queue(sale, lane), keys.askedAt(sale, lane), keys.passers(sale, lane)]),
  ]
  await commands.eval(LET_PASS, timed.length, ...timed, ms)
}

/** What the header of a script calls a key of the main line. */
function nameOf(key: string): string {
  const name = key.split(':')[2] ?? 'queue'
  return name === 'joins' ? 'recent' : name
}

/** Watches calls of one script on one waiting room and then holds its header to what was seen. */
export function watchQueueScript(source: string) {
  const words = new Set<string>()
  const changed = new Set<string>()
  return {
    async during<Answer>(
      commands: RedisCommands,
      sale: string,
      call: () => Promise<Answer>,
    ): Promise<Answer> {
      const before = await dumpQueue(commands, sale)
      const answer = await call()
      const after = await dumpQueue(commands, sale)
      for (const word of wordsOf(answer)) words.add(word)
      for (const key of Object.keys({ ...before, ...after }))
        if (!isDeepStrictEqual(before[key], after[key])) changed.add(nameOf(key))
      return answer
    },
    /** Every promise of the header was seen, and nothing it does not promise. */
    expectHeaderTrue() {
      const header = parseHeader(source)
      for (const name of argumentsRead(source)) expect(header.argv).toContain(name)
      if (header.argv !== 'none') expect(argumentsRead(source)).not.toBeEmpty()
      expect([...words].sort()).toEqual([...header.results].sort())
      expect([...changed].sort()).toEqual([...header.writes].sort())
      expect(header.events).toEqual([])
    },
  }
}

function wordsOf(answer: unknown): string[] {
  if (typeof answer === 'string') return [answer]
  if (answer === undefined) return ['unloaded']
  if (Array.isArray(answer)) return answer.flatMap(wordsOf)
  const { kind, state } = answer as { kind?: string; state?: string }
  return [kind ?? state ?? 'nothing']
}
