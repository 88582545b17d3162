import { SettingError } from '../../src/platform/errors.ts'
import { readNumber } from '../options.ts'
import { ARRIVALS, type Arrival } from '../stampede/behaviour.ts'
import { PRICES, type Prices } from './assumptions.ts'
import type { Scenario } from './crowd.ts'

/** For `program.option(flags, description)`; the values go to `readCapacityOptions` as they are. */
export const CAPACITY_FLAGS: readonly { readonly flags: string; readonly description: string }[] = [
  { flags: '--users <n>', description: 'people who come (10,000, 1,000,000 and 10,000,000 side by side)' },
  { flags: '--units <n>', description: 'units there are (a hundredth of the users)' },
  { flags: '--rate <n>', description: 'people let in a second (a sixtieth of the units, at least 10)' },
  { flags: '--arrival <curve>', description: `${ARRIVALS.join(', ')} (spike)` },
  { flags: '--spread <seconds>', description: 'within which everybody comes (600)' },
  { flags: '--edges <n>', description: 'edge nodes that ask the origin once a second (10)' },
  {
    flags: '--items <n>',
    description: 'items, or parts of a hot one, on which the claims spread evenly (1)',
  },
  { flags: '--headroom <factor>', description: 'of the busiest second, that every part should bear (2)' },
  {
    flags: '--price <name=dollars,...>',
    description: `instead of the prices assumed: ${Object.keys(PRICES).join(', ')}`,
  },
  { flags: '--bench <file>', description: 'result of npm run bench (docs/performance.json)' },
  { flags: '--write', description: 'write docs/scaling.md' },
  {
    flags: '--check',
    description:
      'run the simulation beside the model first, a few minutes; docs/scaling.json keeps the outcome',
  },
  { flags: '--json', description: 'print everything as one JSON object' },
]

export interface CapacityOptions {
  readonly scenarios: readonly Scenario[]
  readonly headroom: number
  readonly items: number
  readonly prices: Prices
  readonly bench: string | undefined
  readonly write: boolean
  readonly check: boolean
  readonly json: boolean
}

export type Values = Readonly<Record<string, string | boolean | undefined>>

export const SIZES = [10_000, 1_000_000, 10_000_000]

/** Throws SettingError, in one line. */
export function readCapacityOptions(values: Values): CapacityOptions {
  const number = (name: string, fallback: number, least: number, most: number, whole = true) => {
    const given = values[name]
    if (given !== undefined && typeof given !== 'string')
      throw new SettingError(`--${name}: expected a number`)
    return readNumber(name, given, { fallback, least, most, whole })
  }
  const arrival = (values['arrival'] ?? 'spike') as Arrival
  if (!ARRIVALS.includes(arrival)) throw new SettingError(`--arrival: expected one of ${ARRIVALS.join(', ')}`)
  const sizes = values['users'] === undefined ? SIZES : [number('users', 0, 1, 1_000_000_000)]
  if (
    values['write'] === true &&
    ['users', 'units', 'rate', 'arrival', 'spread'].some((name) => values[name] !== undefined)
  )
    throw new SettingError('--write: the page shows the three sizes as they are; leave the crowd out')
  const edges = number('edges', 10, 1, 10_000)
  const spread = number('spread', 600, 1, 86_400, false)
  return {
    scenarios: sizes.map((buyers) => {
      const units = number('units', Math.max(1, Math.round(buyers / 100)), 1, 100_000_000)
      return scenarioOf({
        buyers,
        units,
        rate: number('rate', Math.max(10, units / 60), 0.1, 1_000_000, false),
        arrival,
        spread,
        edges,
      })
    }),
    headroom: number('headroom', 2, 1, 100, false),
    items: number('items', 1, 1, 10_000),
    prices: readPrices(values['price']),
    bench: typeof values['bench'] === 'string' ? values['bench'] : undefined,
    ...{ write: values['write'] === true, check: values['check'] === true, json: values['json'] === true },
  }
}

/** With the habits that `rush --simulate` has by itself. */
export const scenarioOf = (
  crowd: Pick<Scenario, 'buyers' | 'units' | 'rate'> & Partial<Scenario>,
): Scenario => ({
  ...{
    arrival: 'spike',
    spread: 600,
    edges: 10,
    patience: 900,
    noShows: 0.2,
    bots: 0.1,
    pay: 0.8,
    hold: 150,
  },
  ...crowd,
})

function readPrices(given: Values[string]): Prices {
  const prices = Object.fromEntries(Object.entries(PRICES).map(([name, { value }]) => [name, value])) as {
    -readonly [Name in keyof Prices]: number
  }
  for (const pair of typeof given === 'string' ? given.split(',') : []) {
    const [name = '', text = ''] = pair.split('=')
    if (!(name in prices) || text === '' || !(Number(text) >= 0))
      throw new SettingError(
        `--price: expected name=dollars, the name one of ${Object.keys(prices).join(', ')}`,
      )
    prices[name as keyof Prices] = Number(text)
  }
  return prices
}
