import { GuardSettings, type GuardSettingsInput } from '../src/guard/guard.ts'
import { SettingError } from '../src/platform/errors.ts'
import type { RushOptions } from './options.ts'
import type { SaleInfo, Target } from './target.ts'

/** An ordinary crowd comes from one address, and this machine would solve the proof of work of every browser. */
export const NO_GUARD: GuardSettingsInput = {
  proof_of_work: { on: false },
  limits: { on: false },
  risk: { on: false },
  captcha: { on: false },
}

/**
 * A sale that exists, as an ordinary crowd may come to it: the guard of a rehearsal is switched off for it. Throws SettingError for a
 * real sale whose guard is on, which no simulator may weaken.
 */
export async function openToCrowd(
  target: Pick<Target, 'sale' | 'guard' | 'setGuard'>,
  id: string,
  say: (text: string) => void,
): Promise<SaleInfo> {
  const sale = await target.sale(id)
  const { proof_of_work, limits, risk } = GuardSettings.parse(await target.guard(id))
  if (![proof_of_work, limits, risk].some(({ on }) => on)) return sale
  if (!sale.rehearsal)
    throw new SettingError(
      `The guard of ${id} is on, which a simulated crowd does not pass: rehearse it, and send the crowd to the rehearsal`,
    )
  await target.setGuard(id, NO_GUARD)
  say(`The guard of ${id} is switched off: the whole crowd comes from this one machine`)
  return sale
}

/** Expected hashes of a challenge: a 250th of the default, since the simulator solves for all. */
export const HASHES = 2000

/** As it is by default, but for the work, of which every difficulty is scaled down alike. */
export const SCALED_GUARD: GuardSettingsInput = {
  proof_of_work: { hashes: HASHES, raised_hashes: 10 * HASHES, captcha_hashes: 4 * HASHES },
}

/** Seconds: enough for units to come back twice. */
export function timeoutOf({ timeout }: RushOptions, holdS: number): number {
  return timeout ?? Math.max(180, 3 * holdS)
}

let sales = 0

/** One item, open at once, short windows, and passes that outlast the run. */
export async function createOwnSale(
  target: Target,
  options: RushOptions,
  guard: GuardSettingsInput = NO_GUARD,
): Promise<SaleInfo> {
  const id = `rush-${(Date.now() + sales++).toString(36)}-${options.seed.toString(36)}`
  return target.createSale({
    id,
    name: 'Rush',
    rate_per_second: options.rate,
    payment_window_s: options.payWindow,
    hold_s: options.hold,
    pass_s: timeoutOf(options, options.hold) + 60,
    guard,
    reason: 'a simulated crowd (npm run rush)',
    products: [
      { id, name: 'Rush unit', amount: 4999, currency: 'EUR', units: options.units, per_buyer_limit: 1 },
    ],
  })
}
