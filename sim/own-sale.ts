import type { GuardSettingsInput } from '../src/guard/guard.ts'
import type { RushOptions } from './options.ts'
import type { SaleInfo, Target } from './target.ts'

/** An ordinary crowd comes from one address, and this machine would solve the proof of work of every browser. */
export const NO_GUARD: GuardSettingsInput = {
  proof_of_work: { on: false },
  limits: { on: false },
  risk: { on: false },
  captcha: { on: false },
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
