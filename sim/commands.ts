import { CAPACITY_FLAGS } from './capacity/options.ts'
import { CHAOS_FLAGS } from './chaos/options.ts'
import { SCALE_FLAGS } from './scale/options.ts'
import { SIMULATE_FLAGS } from './simulate-flags.ts'

type Flags = readonly { readonly flags: string; readonly description: string }[]
export type Given = Readonly<Record<string, string | boolean | undefined>>

interface SimCommand {
  readonly usage: string
  readonly description: string
  readonly flags: Flags
  /** `what`: the argument of the command, if it has one. Resolves with the exit code; throws SettingError. */
  readonly run: (given: Given, signal: AbortSignal, what: string) => Promise<number>
}

/** What the simulators know of the command line, beside `rush`. Each imports what it needs when it runs. */
export const SIM_COMMANDS: readonly SimCommand[] = [
  {
    usage: 'chaos',
    description: 'break the system on purpose while simulated buyers use it, and judge from the outside',
    flags: CHAOS_FLAGS,
    run: async (given, signal) => {
      const { chaos } = await import('./chaos/chaos.ts')
      const { readChaosOptions } = await import('./chaos/options.ts')
      return chaos(readChaosOptions(given), signal)
    },
  },
  {
    usage: 'scale <what>',
    description:
      'grow and shrink a part of a system of its own (kafka, redis, shards) during a rush, and judge from the outside',
    flags: SCALE_FLAGS,
    run: async (given, signal, what) => {
      const { scale } = await import('./scale/scale.ts')
      const { readScaleOptions } = await import('./scale/options.ts')
      return scale(what, readScaleOptions(given), signal)
    },
  },
  {
    usage: 'simulate',
    description:
      'simulate whole sales with faults in one thread, each a function of its seed, and judge them',
    flags: SIMULATE_FLAGS,
    run: async (given) => {
      const { simulate } = await import('./simulate.ts')
      return simulate(given, console.log)
    },
  },
  {
    usage: 'capacity',
    description: 'what a crowd needs: machines, Redis, Kafka, PostgreSQL, bandwidth, money; docs/scaling.md',
    flags: CAPACITY_FLAGS,
    run: async (given, signal) => {
      const { capacity } = await import('./capacity/capacity.ts')
      return capacity(given, console.log, signal)
    },
  },
]
