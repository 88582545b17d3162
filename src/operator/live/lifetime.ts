import type { Sale } from '../../flow/catalogue/catalogue.ts'

/** People look at a sale that is over for so long, and orders are paid and ended until their holds are over. */
const AFTER_MS = 900_000

export const isOver = ({ state, ends_at }: Pick<Sale, 'state' | 'ends_at'>, now: number): boolean =>
  state === 'ended' || (ends_at !== null && ends_at <= now)

/** Nothing of interest happens any more to a sale that has been over since then. */
export const isLongOver = ({ hold_s }: Pick<Sale, 'hold_s'>, since: number, now: number): boolean =>
  now - since > AFTER_MS + hold_s * 1000
