import { join } from 'node:path'
import { SettingError } from '../../src/platform/errors.ts'
import { readNumber } from '../options.ts'
import { type Arrival, ARRIVALS, type Shape } from './behaviour.ts'

export interface StampedeOptions extends Shape {
  readonly units: number
  /** Admissions a second. */
  readonly rate: number
  readonly payWindow: number
  readonly hold: number
  readonly json: boolean
  /** Where the report goes. */
  readonly report: string
  /** A bug to plant, by its name in planted.ts; '' for none. Tests set it. */
  readonly planted: string
}

type Values = Readonly<Record<string, string | number | boolean | undefined>>

/** What `rush --simulate` was given. Throws SettingError, in one line. */
export function readStampedeOptions(values: Values, dataDir: string): StampedeOptions {
  const number = (name: string, fallback: number, least: number, most: number, whole = true) =>
    readNumber(name, values[name], { fallback, least, most, whole })
  for (const name of ['sale', 'connections', 'timeout'])
    if (values[name] !== undefined)
      throw new SettingError(`--${name} is for a crowd that is really sent: leave out --simulate`)
  const arrival = (values['arrival'] ?? 'spike') as Arrival
  if (!ARRIVALS.includes(arrival)) throw new SettingError(`--arrival: expected one of ${ARRIVALS.join(', ')}`)
  const { report = join(dataDir, 'rush-simulated.html') } = values
  if (typeof report !== 'string' || report === '') throw new SettingError('--report: expected a file')
  const units = number('units', 100, 1, 1_000_000)
  const payWindow = number('payWindow', 120, 1, 3600, false)
  const hold = number('hold', payWindow + 30, 1, 7200, false)
  if (hold < payWindow) throw new SettingError('--hold: a hold can not be shorter than the payment window')
  // The command line takes `--no-shows` for a `--shows` that is denied, which is on unless a share was given.
  const noShows = readNumber('noShows', values['shows'] === true ? undefined : values['shows'], {
    ...{ fallback: 0.2, least: 0, most: 1, whole: false },
  })
  return {
    ...{ arrival, report, units, payWindow, hold, noShows },
    buyers: number('buyers', 1_000_000, 1, 20_000_000),
    rate: number('rate', Math.max(10, units / 5), 0.1, 100_000, false),
    spread: number('spread', 600, 1, 86_400, false),
    patience: number('patienceS', 900, 1, 86_400, false),
    bots: number('bots', 0.1, 0, 0.99, false),
    pay: number('pay', 0.8, 0, 1, false),
    seed: number('seed', Math.floor(Math.random() * 2 ** 31), 0, 2 ** 31 - 1),
    json: values['json'] === true,
    planted: '',
  }
}
