/**
 * Until when each field of a sale may be changed. Nothing that people have been promised changes under their hands: not the
 * order of a line they stand in, not the price of what they are about to buy.
 */

/** How far a sale is. `planned`: nobody can have a place yet. `lobby`: people may wait. `selling`: it has opened, paused or not. */
export const STAGES = ['planned', 'lobby', 'selling', 'over'] as const
export type Stage = (typeof STAGES)[number]

/** The last stage in which a field may be changed, and what to do when it is too late. */
interface Until {
  readonly last: Stage
  readonly else?: string
}

const COMMAND = (path: string) => `use its own command, \`${path}\``

export const SALE_FIELDS = {
  name: { last: 'over' },
  message: { last: 'over' },
  post_sale_at: { last: 'over' },
  ends_at: { last: 'selling' },
  rate_per_second: { last: 'selling' },
  checkout_cap: { last: 'selling' },
  checkouts_per_unit: { last: 'selling' },
  // Of claims and passes that come; those there are keep what they were told.
  payment_window_s: { last: 'selling' },
  hold_s: { last: 'selling' },
  pass_s: { last: 'selling' },
  guard: { last: 'selling' },
  opens_at: { last: 'lobby' },
  turn_s: { last: 'lobby' },
  oversell: { last: 'lobby' },
  lobby_opens_at: { last: 'planned' },
  order: { last: 'planned' },
  standby_threshold: { last: 'planned' },
} as const satisfies Record<string, Until>
export type SaleField = keyof typeof SALE_FIELDS

export const PRODUCT_FIELDS = {
  name: { last: 'over' },
  description: { last: 'over' },
  amount: { last: 'lobby' },
  currency: { last: 'lobby' },
  per_buyer_limit: { last: 'lobby' },
  units: { last: 'planned', else: COMMAND('PUT /api/operator/items/{id}/units') },
} as const satisfies Record<string, Until>
export type ProductField = keyof typeof PRODUCT_FIELDS
/** Products are added as long as nobody can have looked for them in vain. */
export const NEW_PRODUCTS: Until = { last: 'lobby' }

const MEANS: Readonly<Record<Stage, string>> = {
  planned: 'the waiting room opens',
  lobby: 'the sale opens',
  selling: 'the sale is over',
  over: 'never',
}

/** Why it is too late; undefined where it is not. */
export function tooLate(field: Until, stage: Stage): string | undefined {
  if (STAGES.indexOf(stage) <= STAGES.indexOf(field.last)) return undefined
  const why = `it can be changed until ${MEANS[field.last]}`
  return field.else === undefined ? why : `${why}; after that, ${field.else}`
}

/** What buyers are shown is up to a second old: what is about to be decided counts as decided. */
export const MARGIN_MS = 2000

export interface StageOf {
  readonly state: 'open' | 'paused' | 'ended'
  readonly opens_at: number
  readonly ends_at: number | null
  /** null: people may join from the creation on. */
  readonly lobby_opens_at: number | null
}

export function stageOf({ state, opens_at, ends_at, lobby_opens_at }: StageOf, now: number): Stage {
  if (state === 'ended' || (ends_at !== null && ends_at <= now)) return 'over'
  if (opens_at <= now + MARGIN_MS) return 'selling'
  return lobby_opens_at !== null && lobby_opens_at > now + MARGIN_MS ? 'planned' : 'lobby'
}

const allowed = <Field extends string>(fields: Readonly<Record<Field, Until>>, stage: Stage): Field[] =>
  (Object.keys(fields) as Field[]).filter((field) => tooLate(fields[field], stage) === undefined)

export const editableFields = (stage: Stage): SaleField[] => allowed(SALE_FIELDS, stage)
export const editableProductFields = (stage: Stage): ProductField[] => allowed(PRODUCT_FIELDS, stage)
