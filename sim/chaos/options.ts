import { SettingError } from '../../src/platform/errors.ts'
import { readNumber } from '../options.ts'

export interface ChaosOptions {
  readonly faults: string
  readonly mutations: string | undefined
  readonly list: boolean
  readonly profile: 'embedded' | 'full'
  readonly seed: number
  readonly buyers: number
  readonly units: number
  readonly seconds: number
  readonly json: boolean
  /** Keeps the data folder, and says where it is. */
  readonly keep: boolean
}

/** For `program.option(flags, description)`; the values go to `readChaosOptions` as they are. */
export const CHAOS_FLAGS: readonly { readonly flags: string; readonly description: string }[] = [
  { flags: '--faults <names>', description: 'all, or names separated by commas (all)' },
  {
    flags: '--mutations [names]',
    description: 'plants known bugs in a copy, one at a time: the auditor must find each',
  },
  { flags: '--list', description: 'tells all faults and mutations' },
  { flags: '--profile <profile>', description: 'embedded, or full: with Kafka (embedded)' },
  { flags: '--seed <n>', description: 'replays order, moments and crowd of an earlier run (random)' },
  { flags: '--buyers <n>', description: 'simulated buyers for each fault (200)' },
  { flags: '--units <n>', description: 'units in the sale of each fault (half of the buyers)' },
  { flags: '--seconds <s>', description: 'how long buyers go on coming after it was healed (5)' },
  { flags: '--json', description: 'print the verdict as one JSON object on the last line' },
  { flags: '--keep', description: 'keep the data folder with its logs' },
]

type Values = Readonly<Record<string, string | boolean | undefined>>

/** Checks what the command line gave. Throws SettingError, in one line. */
export function readChaosOptions(values: Values): ChaosOptions {
  const { faults = 'all', profile = 'embedded', mutations } = values
  if (typeof faults !== 'string') throw new SettingError('--faults: expected names, or all')
  if (profile !== 'embedded' && profile !== 'full')
    throw new SettingError('--profile: expected embedded or full')
  const number = (name: string, fallback: number, least: number, most: number) =>
    readNumber(name, values[name], { fallback, least, most })
  const buyers = number('buyers', 200, 20, 20_000)
  return {
    ...{ faults, profile, buyers },
    mutations: mutations === true ? 'all' : mutations === false ? undefined : mutations,
    list: values['list'] === true,
    seed: number('seed', Math.floor(Math.random() * 2 ** 31), 0, 2 ** 31 - 1),
    units: number('units', Math.ceil(buyers / 2), 1, 20_000),
    seconds: number('seconds', 5, 1, 600),
    json: values['json'] === true,
    keep: values['keep'] === true,
  }
}
