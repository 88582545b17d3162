import { expect } from 'bun:test'
import { isDeepStrictEqual } from 'node:util'
import { keys } from '../../src/flow/waiting-room/scripts.ts'
import type { RedisCommands } from '../../src/platform/redis.ts'
import { argumentsRead, parseHeader } from './lua-header.ts'

/** Everything Redis holds of a waiting room, by key. */
export async function dumpQueue(commands: RedisCommands, sale: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {}
  for (const key of (await commands.keys(`${keys.queue(sale)}*`)).sort())
    found[key] =
      (await commands.type(key)) === 'hash'
        ? await commands.hgetall(key)
        : (await commands.getBuffer(key))?.toString('hex')
  return found
}

/**
 * Lets time pass for one waiting room: only differences to now count, so moving its times back is the same as waiting.
 * Passes keep their life.
 */
export async function letPass(commands: RedisCommands, sale: string, ms: number): Promise<void> {
  const transaction = commands.multi()
  for (const field of ['since', 'opens_at']) transaction.hincrby(keys.queue(sale), field, -ms)
  const ends_at = await commands.hget(keys.queue(sale), 'ends_at')
  if (ends_at !== '' && ends_at !== null) transaction.hincrby(keys.queue(sale), 'ends_at', -ms)
  await transaction.exec()
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
        if (!isDeepStrictEqual(before[key], after[key])) changed.add(key.split(':')[2] ?? 'queue')
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
