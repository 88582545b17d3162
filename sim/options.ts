import { SLUG } from '../src/contracts/ids.ts'
import { SettingError } from '../src/platform/errors.ts'

export interface RushOptions {
  readonly buyers: number
  /** Share of the buyers that are bots: the crowd goes twice, without the guard and with it. */
  readonly bots: number
  /** Units of a sale of its own. */
  readonly units: number
  /** Share of those who hold an order that pay. */
  readonly pay: number
  /** A sale that exists; undefined: one is created for the run. */
  readonly sale: string | undefined
  /** Admissions a second of a sale of its own. */
  readonly rate: number
  /** Seconds within which the crowd arrives, most of it early on. */
  readonly spread: number
  readonly seed: number
  readonly json: boolean
  readonly dataDir: string
  readonly payWindow: number
  readonly hold: number
  /** Connections to the web process, and as many again for those who have an order. */
  readonly connections: number
  /** Seconds after which buyers who are still busy give up; undefined: as the sale's hold needs. */
  readonly timeout: number | undefined
}

/** For `program.option(flags, description)`; the values go to `readRushOptions` as they are. */
export const RUSH_FLAGS: readonly { readonly flags: string; readonly description: string }[] = [
  { flags: '--buyers <n>', description: 'simulated buyers (5000)' },
  { flags: '--units <n>', description: 'units in the sale it creates (100)' },
  {
    flags: '--bots <share>',
    description: 'share of them that are bots; runs without the guard, then with it (0)',
  },
  { flags: '--pay <share>', description: 'share of those holding an order that pay (0.8)' },
  { flags: '--sale <id>', description: 'send the crowd to this sale instead of creating one' },
  { flags: '--rate <n>', description: 'admissions a second in the sale it creates (a fifth of the buyers)' },
  { flags: '--spread <s>', description: 'seconds within which the crowd arrives, most in the first (2)' },
  {
    flags: '--pay-window <s>',
    description: 'payment window of the sale it creates (3, more for more than 100 units)',
  },
  { flags: '--hold <s>', description: 'hold of the sale it creates (twice the payment window)' },
  { flags: '--seed <n>', description: 'replays the choices of an earlier crowd (random)' },
  {
    flags: '--connections <n>',
    description: 'connections to the web process, and as many for those who pay (256)',
  },
  {
    flags: '--timeout <s>',
    description: 'buyers still busy then give up (180, or three holds of the sale if that is more)',
  },
  { flags: '--json', description: 'print the verdict as one JSON object on the last line' },
]

interface Bounds {
  readonly fallback: number
  readonly least: number
  readonly most: number
  readonly whole?: boolean
}

/** Of `rush --simulate`, beside those above. */
export const STAMPEDE_FLAGS: typeof RUSH_FLAGS = [
  {
    flags: '--simulate',
    description: 'in virtual time instead, on a Redis of its own, up to 20 million; the rest is for it alone',
  },
  { flags: '--arrival <curve>', description: 'spike, ramp or lobby (spike); --spread is 600 here' },
  { flags: '--patience-s <s>', description: 'mean of what people wait before they give up (900)' },
  { flags: '--no-shows <share>', description: 'share that does not come when its turn has (0.2)' },
  { flags: '--report <file>', description: 'where the page with the plots goes (rush-simulated.html)' },
]

/** A number from the command line, by the camel-case name of its flag. Throws SettingError, in one line. */
export function readNumber(name: string, given: Values[string], bounds: Bounds): number {
  const { fallback, least, most, whole = true } = bounds
  const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  const value = given === undefined ? fallback : Number(given)
  if (Number.isNaN(value) || value < least || value > most || (whole && !Number.isInteger(value)))
    throw new SettingError(`--${flag}: expected a ${whole ? 'whole ' : ''}number from ${least} to ${most}`)
  return value
}

type Values = Readonly<Record<string, string | number | boolean | undefined>>

/** Checks what the command line gave. Throws SettingError, in one line. */
export function readRushOptions(values: Values, dataDir: string): RushOptions {
  const number = (name: string, fallback: number, least: number, most: number, whole = true) =>
    readNumber(name, values[name], { fallback, least, most, whole })
  for (const name of ['arrival', 'patienceS', 'report'])
    if (values[name] !== undefined)
      throw new SettingError(`--${name === 'patienceS' ? 'patience-s' : name} is for --simulate`)
  const sale = values['sale']
  if (sale !== undefined && (typeof sale !== 'string' || !SLUG.test(sale)))
    throw new SettingError('--sale: expected the id of a sale')
  for (const name of ['units', 'rate', 'payWindow', 'hold', 'bots'])
    if (sale !== undefined && values[name] !== undefined)
      throw new SettingError(
        `--${name === 'payWindow' ? 'pay-window' : name} is for a sale of its own: leave out --sale`,
      )
  const buyers = number('buyers', 5000, 1, 200_000)
  const units = number('units', 100, 1, 1_000_000)
  // Short, so that unpaid units come back within the run; longer where more buyers pay at the same time.
  const payWindow = number('payWindow', Math.min(60, Math.ceil(2 + units / 100)), 0.5, 3600, false)
  const hold = number('hold', Math.max(6, payWindow * 2), 0.5, 7200, false)
  if (hold < payWindow) throw new SettingError('--hold: a hold can not be shorter than the payment window')
  return {
    buyers,
    bots: number('bots', 0, 0, 0.99, false),
    units,
    pay: number('pay', 0.8, 0, 1, false),
    sale,
    rate: number('rate', Math.max(50, Math.ceil(buyers / 5)), 0.1, 1_000_000, false),
    spread: number('spread', 2, 0, 3600, false),
    seed: number('seed', Math.floor(Math.random() * 2 ** 31), 0, 2 ** 31 - 1),
    json: values['json'] === true,
    dataDir,
    payWindow,
    hold,
    connections: number('connections', 256, 1, 4096),
    timeout: values['timeout'] === undefined ? undefined : number('timeout', 180, 1, 86_400, false),
  }
}
