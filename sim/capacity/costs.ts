import { z } from 'zod'
import { SettingError } from '../../src/platform/errors.ts'
import { readJsonFile } from '../../src/platform/project.ts'

/** What `npm run bench` measured, as far as the model needs it. */
const Bench = z.object({
  started_at: z.string(),
  quick: z.boolean(),
  machine: z.object({ commit: z.string(), busy: z.boolean(), cores: z.number(), cpu: z.string() }),
  rows: z.array(z.object({ name: z.string(), ours: z.number(), yardstick: z.number() })),
})

/** Things a second that one of ours does on the machine measured: one web process, one Redis, one worker. */
export interface UnitCosts {
  readonly measured: {
    readonly on: string
    readonly commit: string
    readonly machine: string
    readonly careful: boolean
  }
  readonly http: Readonly<Record<'join' | 'enter' | 'claim' | 'soldOut' | 'status', number>>
  readonly redis: Readonly<Record<'join' | 'enter' | 'claim', number>>
  /** Events a second: rows of one order worker, messages of one relay, messages of a bare producer into one broker. */
  readonly rows: number
  readonly relay: number
  readonly broker: number
  /** Small transactions a second of one PostgreSQL. */
  readonly transactions: number
  /** From the start of a web process to its first answer. */
  readonly startS: number
}

/** Rows of docs/performance.json that the model rests on, in its terms. */
const ROWS = {
  ...{
    join: 'join-http',
    enter: 'enter-http',
    claim: 'claim-http',
    soldOut: 'sold-out-http',
    status: 'status-http',
  },
  ...{ redisJoin: 'join-redis', redisEnter: 'enter-redis', redisClaim: 'claim-lua' },
  ...{ rows: 'order-persistence', relay: 'relay', transactions: 'sql-skip-locked', start: 'start-up' },
} as const

/** Throws SettingError where the file or a row of it is missing, and says which. */
export function readUnitCosts(file: string): UnitCosts {
  const { data: bench } = Bench.safeParse(readJsonFile(file))
  if (bench === undefined) throw new SettingError(`${file} is no result of npm run bench`)
  const row = (name: string) => {
    const found = bench.rows.find((one) => one.name === name)
    if (found === undefined)
      throw new SettingError(`${file} has no row ${name}: run npm run bench, which writes all of them`)
    return found
  }
  const ours = (term: keyof typeof ROWS) => row(ROWS[term]).ours
  const { machine, quick, started_at } = bench
  return {
    measured: {
      ...{ on: started_at.slice(0, 10), commit: machine.commit, careful: quick || machine.busy },
      machine: `${machine.cores} cores, ${machine.cpu}`,
    },
    http: {
      ...{ join: ours('join'), enter: ours('enter'), claim: ours('claim') },
      ...{ soldOut: ours('soldOut'), status: ours('status') },
    },
    redis: { join: ours('redisJoin'), enter: ours('redisEnter'), claim: ours('redisClaim') },
    ...{ rows: ours('rows'), relay: ours('relay'), broker: row(ROWS.relay).yardstick },
    // The plain SQL alternative: a unit and an order in one transaction, 16 connections, `fsync` on.
    transactions: row(ROWS.transactions).yardstick,
    startS: ours('start') / 1000,
  }
}
