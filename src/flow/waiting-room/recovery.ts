import type { SaleId } from '../../contracts/ids.ts'
import { defineScript } from '../../platform/lua.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { keys, MAIN_LANE } from './keys.ts'
import recoverSource from './recover.lua' with { type: 'text' }
import * as scripts from './scripts.ts'
import type { Line } from './scripts.ts'
import servingSource from './serving.lua' with { type: 'text' }
import type { Mark, MarkStore, NewMark } from './sql.ts'

interface Recovering {
  readonly sale: SaleId
  readonly lane: string
  readonly run_id: string
  readonly tail: number
  readonly serving: number
  readonly lobby: NewMark['lobby']
}

export const recoverScript = defineScript({
  name: 'queueRecover',
  source: servingSource + recoverSource,
  keys: ({ sale, lane }: Recovering) => [keys.queue(sale, lane)],
  args: ({ run_id, tail, serving, lobby }) => [
    run_id,
    tail,
    serving,
    lobby?.size ?? '',
    lobby?.tickets_hash ?? '',
  ],
  result: (reply) => reply as 'recovered' | 'same' | 'unloaded',
})

/** Joins go on for so long after a mark at most, where marks are made once a second. */
const LONGEST_GAP_S = 5

/**
 * A tail that no position was given beyond: those who may have joined since the mark was made, twice as many as joined
 * before it and some. Numbers nobody has are turns nobody takes, which cost the line next to nothing.
 */
export function safeTail({ tail, joins_per_second, age_s }: Mark): number {
  return tail + Math.ceil(2 * joins_per_second * Math.min(age_s, LONGEST_GAP_S)) + 5
}

export interface RecoveryParts {
  readonly redis: RedisConnection
  readonly marks: MarkStore
  readonly catalogue: Pick<Catalogue, 'groups'>
}

/**
 * Keeps waiting rooms safe from a Redis that is not the one they were used on: restarted, failed over, or empty. Until
 * they are recovered nobody joins.
 */
export function createRecovery({ redis, marks, catalogue }: RecoveryParts) {
  const recoverLane = async (sale: SaleId, lane: string, run_id: string): Promise<void> => {
    const mark = await marks.read(sale, lane)
    await recoverScript.run(redis.commands, {
      ...{ sale, lane, run_id },
      tail: mark === undefined ? 0 : safeTail(mark),
      serving: mark?.serving ?? 0,
      lobby: mark?.lobby,
    })
  }

  const noted = new Map<string, Line>()
  const note = async (sale: SaleId, lane: string, line: Line): Promise<void> => {
    const key = keys.queue(sale, lane)
    const last = noted.get(key)
    const { tail, serving, lobby } = line
    if (last?.tail === tail && last.serving === serving && last.lobby?.size === lobby?.size) return
    await marks.write({ sale, lane, tail, serving, lobby })
    noted.set(key, line)
  }

  const runIdOf = (sale: SaleId) => redis.runId(keys.queue(sale, MAIN_LANE))

  return {
    /** See `WaitingRoom.keep`. */
    keep: async (sale: SaleId): Promise<boolean> => {
      const run_id = runIdOf(sale)
      if (run_id === undefined) return true
      let whole = true
      for (const lane of [MAIN_LANE, ...(await catalogue.groups(sale)).map(({ id }) => id)]) {
        const line = await scripts.read.run(redis.commands, { sale, lane })
        if (line === undefined) whole = false
        else if (line.run_id !== run_id) await recoverLane(sale, lane, run_id)
        else await note(sale, lane, line)
      }
      return whole
    },
    /** Lifts the fence of lanes, new ones as well. */
    recover: async (sale: SaleId, lanes: readonly string[]): Promise<void> => {
      const run_id = runIdOf(sale)
      if (run_id === undefined) return
      for (const lane of lanes) await recoverLane(sale, lane, run_id)
    },
  }
}
