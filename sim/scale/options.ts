import { readNumber } from '../options.ts'

export interface ScaleOptions {
  readonly seed: number
  readonly buyers: number
  readonly units: number
  /** In which the crowd arrives; what is done to the system is done meanwhile. */
  readonly seconds: number
  readonly json: boolean
  /** Keeps the data folder, and says where it is. */
  readonly keep: boolean
}

/** For `program.option(flags, description)`; the values go to `readScaleOptions` as they are. */
export const SCALE_FLAGS: readonly { readonly flags: string; readonly description: string }[] = [
  { flags: '--buyers <n>', description: 'simulated buyers (2000)' },
  { flags: '--units <n>', description: 'units in the sale (half of the buyers)' },
  { flags: '--seconds <s>', description: 'how long buyers go on coming (45)' },
  { flags: '--seed <n>', description: 'replays the crowd of an earlier run (random)' },
  { flags: '--json', description: 'print the verdict as one JSON object on the last line' },
  { flags: '--keep', description: 'keep the data folder with its logs' },
]

type Values = Readonly<Record<string, string | boolean | undefined>>

/** Checks what the command line gave. Throws SettingError, in one line. */
export function readScaleOptions(values: Values): ScaleOptions {
  const number = (name: string, fallback: number, least: number, most: number) =>
    readNumber(name, values[name], { fallback, least, most })
  const buyers = number('buyers', 2000, 20, 100_000)
  return {
    buyers,
    units: number('units', Math.ceil(buyers / 2), 1, 100_000),
    seconds: number('seconds', 45, 5, 3600),
    seed: number('seed', Math.floor(Math.random() * 2 ** 31), 0, 2 ** 31 - 1),
    json: values['json'] === true,
    keep: values['keep'] === true,
  }
}
