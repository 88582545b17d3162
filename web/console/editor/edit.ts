import type { OperatorSale } from '../shapes.ts'
import {
  GUARDS,
  majorUnits,
  newProduct,
  type ProductDraft,
  type SaleDraft,
  toLocal,
  toRequest,
} from './draft.ts'

/** A sale that exists, as the form has it. */
export function draftOf(sale: OperatorSale): SaleDraft {
  const at = (ms: number | null) => (ms === null ? '' : toLocal(ms))
  const text = (n: number | null) => (n === null ? '' : String(n))
  const { gift_card, approval, valid_days } = sale.oversell
  const [first] = sale.products
  const isOn = (name: (typeof GUARDS)[number]) =>
    (sale.guard[name] as { readonly on?: boolean } | undefined)?.on ?? name !== 'decoy'
  const switches = Object.fromEntries(GUARDS.map((name) => [name, isOn(name)]))
  return {
    ...{ id: sale.id, name: sale.name, message: sale.message, order: sale.order, opens: 'at' },
    ...{ opens_at: at(sale.opens_at), ends_at: at(sale.ends_at) },
    ...{ lobby_opens_at: at(sale.lobby_opens_at), post_sale_at: at(sale.post_sale_at) },
    rate_per_second: text(sale.rate_per_second),
    checkout_cap: text(sale.checkout_cap),
    checkouts_per_unit: text(sale.checkouts_per_unit),
    standby_threshold: text(sale.standby_threshold),
    ...{ payment_window_s: text(sale.payment_window_s), hold_s: text(sale.hold_s) },
    ...{ pass_s: text(sale.pass_s), turn_s: text(sale.turn_s) },
    ...(switches as Pick<SaleDraft, (typeof GUARDS)[number]>),
    ...{ guard: sale.guard, approval, valid_days: text(valid_days) },
    ...('share' in gift_card
      ? { gift: 'share', gift_value: text(Math.round(gift_card.share * 10_000) / 100) }
      : { gift: 'amount', gift_value: majorUnits(gift_card.amount, first?.currency ?? 'EUR') }),
    products: sale.products.map((product) => ({
      ...{ ...newProduct(product.currency), existing: true },
      ...{ id: product.id, name: product.name, description: product.description },
      ...{ price: majorUnits(product.amount, product.currency), units: text(product.units) },
      per_buyer_limit: text(product.per_buyer_limit),
    })),
  }
}

const LABELS: Partial<Record<keyof SaleDraft, string>> = {
  name: 'Name',
  opens_at: 'Opens',
  ends_at: 'Ends',
  lobby_opens_at: 'People may join from',
  post_sale_at: 'After-sale page from',
  order: 'Order',
  rate_per_second: 'People let in a second',
  checkout_cap: 'Most people in checkout',
  checkouts_per_unit: 'People in checkout for each unit',
  standby_threshold: 'Queue only beyond',
  payment_window_s: 'Time to pay, in seconds',
  hold_s: 'A unit is held for, in seconds',
  pass_s: 'Time to choose, in seconds',
  turn_s: 'A turn waits for, in seconds',
  proof_of_work: 'Proof of work',
  limits: 'Limits',
  risk: 'Risk score',
  captcha: 'Question',
  decoy: 'Decoy',
  approval: 'Who approves cancelling',
  gift: 'Gift card',
  gift_value: 'Worth of the gift card',
  valid_days: 'Days the gift card is valid',
  message: 'Message',
}
const PRODUCT_LABELS: Partial<Record<keyof ProductDraft, string>> = {
  name: 'name',
  description: 'description',
  price: 'price',
  currency: 'currency',
  units: 'units',
  per_buyer_limit: 'most for each buyer',
}

/** What has been changed: as the server wants it, and a line each for people. */
export interface Changes {
  readonly edit: Readonly<Record<string, unknown>>
  readonly lines: readonly string[]
}

export function changesIn(initial: SaleDraft, draft: SaleDraft): Changes {
  const [{ products: before = [], ...sale }, { products: after = [], ...wanted }] = [
    toRequest(initial),
    toRequest(draft),
  ]
  const products = after.flatMap((product, i) => {
    if (draft.products[i]?.existing !== true) return [product]
    const known = before.find(({ id }) => id === product.id)
    const changed = known === undefined ? {} : difference(known, product)
    return Object.keys(changed).length === 0 ? [] : [{ id: product.id, ...changed }]
  })
  const edit = { ...difference(sale, wanted), ...(products.length === 0 ? {} : { products }) }
  return { edit, lines: [...linesOf('', LABELS, initial, draft), ...productLines(initial, draft)] }
}

/** The fields of `after` that are not as they were. */
function difference(before: object, after: object): Record<string, unknown> {
  const old = before as Record<string, unknown>
  return Object.fromEntries(
    Object.entries(after).filter(([name, value]) => JSON.stringify(old[name]) !== JSON.stringify(value)),
  )
}

function linesOf<Draft>(
  prefix: string,
  labels: Partial<Record<keyof Draft, string>>,
  before: Draft,
  after: Draft,
): string[] {
  return (Object.entries(labels) as [keyof Draft, string][]).flatMap(([field, label]) =>
    before[field] === after[field]
      ? []
      : [`${prefix}${label}: ${told(before[field])} → ${told(after[field])}`],
  )
}

function told(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  const text = String(value)
  return text === '' ? 'none' : text.replaceAll('_', ' ').replace(/^(\d{4}-\d\d-\d\d)T/, '$1 ')
}

function productLines(initial: SaleDraft, draft: SaleDraft): string[] {
  return draft.products.flatMap((product) => {
    const before = initial.products.find(({ key }) => key === product.key)
    if (before === undefined) return [`New product: ${product.name}, ${product.price} ${product.currency}`]
    return linesOf(`${before.name}, `, PRODUCT_LABELS, before, product)
  })
}
