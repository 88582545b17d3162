import type { SaleId } from '../../contracts/ids.ts'
import { Unavailable } from '../../platform/errors.ts'
import { defineScript } from '../../platform/lua.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { keys, MAIN_LANE } from './keys.ts'
import recoverSource from './recover.lua' with { type: 'text' }
import reserveSource from './reserve.lua' with { type: 'text' }
import * as scripts from './scripts.ts'
import type { Line } from './scripts.ts'
import servingSource from './serving.lua' with { type: 'text' }
import type { LaneOf, Mark, MarkStore } from './sql.ts'

type OnRedis = LaneOf & { readonly run_id: string }

export const recoverScript = defineScript({
  name: 'queueRecover',
  source: servingSource + recoverSource,
  keys: ({ sale, lane }: OnRedis & Mark) => [keys.queue(sale, lane)],
  args: ({ run_id, ceiling, serving, lobby }) => [
    ...[run_id, ceiling, serving],
    ...[lobby?.size ?? '', lobby?.tickets_hash ?? ''],
  ],
  result: (reply) => reply as 'recovered' | 'same' | 'unloaded',
})

export const reserveScript = defineScript({
  name: 'queueReserve',
  source: servingSource + reserveSource,
  keys: ({ sale, lane }: OnRedis & { ceiling: number; change: 'raise' | 'lower' }) => [
    keys.queue(sale, lane),
  ],
  args: ({ run_id, ceiling, change }) => [run_id, ceiling, change],
  result: (reply) => {
    const [kind, ceiling] = reply as ['reserved' | 'fenced' | 'unloaded', number?]
    return { kind, ceiling: Number(ceiling) }
  },
})

/** Positions that may always be given before somebody has to ask SQL. */
const LEAST_AHEAD = 16
/** As many looks' worth of joins are reserved ahead; whoever joins faster asks SQL himself. */
const LOOKS_AHEAD = 4
/** A reservation larger than wanted by so much is given back: after a loss its numbers would be nobody's. */
const TOO_MUCH = 4

/** How far a node reserves that has run into the ceiling: the longer the line, the more at once. */
export function wantedCeiling(tail: number, joining: number): number {
  return tail + Math.max(64, 2 * joining, Math.ceil(tail / 8))
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
  const runIdOf = ({ sale, lane }: LaneOf) => redis.runId(keys.queue(sale, lane))

  const recoverLane = async (line: LaneOf, run_id: string): Promise<void> => {
    const mark = (await marks.read(line)) ?? { ceiling: 0, serving: 0, lobby: undefined }
    await recoverScript.run(redis.commands, { ...line, run_id, ...mark })
  }

  const raise = async (line: LaneOf, wanted: number): Promise<void> => {
    const ceiling = await marks.raise(line, wanted)
    const run_id = runIdOf(line)
    if (run_id === undefined) throw new Unavailable('no connection to Redis')
    await reserveScript.run(redis.commands, { ...line, run_id, ceiling, change: 'raise' })
  }

  const lower = async (line: LaneOf, run_id: string, to: number): Promise<void> => {
    // What SQL says before Redis is asked: whoever raises it meanwhile wins.
    const before = await marks.read(line)
    const now = await reserveScript.run(redis.commands, { ...line, run_id, ceiling: to, change: 'lower' })
    if (before !== undefined && now.kind === 'reserved') await marks.lower(line, before.ceiling, now.ceiling)
  }

  const looked = new Map<string, Line>()
  const look = async (line: LaneOf, found: Line): Promise<void> => {
    const key = keys.queue(line.sale, line.lane)
    const last = looked.get(key)
    const { tail, serving, lobby, ceiling } = found
    if (last?.serving !== serving || last.lobby?.size !== lobby?.size) await marks.note(line, found)
    const ahead = Math.max(LEAST_AHEAD, LOOKS_AHEAD * (tail - (last?.tail ?? tail)))
    if (ceiling - tail < ahead) await raise(line, tail + ahead)
    else if (ceiling - tail > TOO_MUCH * ahead) await lower(line, found.run_id, tail + ahead)
    looked.set(key, found)
  }

  return {
    /** See `WaitingRoom.keep`. */
    keep: async (sale: SaleId): Promise<boolean> => {
      let whole = true
      for (const lane of [MAIN_LANE, ...(await catalogue.groups(sale)).map(({ id }) => id)]) {
        const line = { sale, lane }
        const run_id = runIdOf(line)
        if (run_id === undefined) return true
        const found = await scripts.read.run(redis.commands, line)
        if (found === undefined) whole = false
        else if (found.run_id === run_id) await look(line, found)
        else await recoverLane(line, run_id)
      }
      return whole
    },
    /** Lifts the fence of lanes, new ones as well. */
    recover: async (sale: SaleId, lanes: readonly string[]): Promise<void> => {
      for (const lane of lanes) {
        const run_id = runIdOf({ sale, lane })
        if (run_id !== undefined) await recoverLane({ sale, lane }, run_id)
      }
    },
    raise,
  }
}
export type Recovery = ReturnType<typeof createRecovery>
