import type { NewSaleInput } from '../shapes.ts'
import { decimal, wholeNumber } from '../typed.ts'

/** A product as it is typed. `key` is of the row alone. */
export interface ProductDraft {
  readonly key: number
  /** It is in the sale already. */
  readonly existing: boolean
  readonly id: string
  readonly name: string
  readonly description: string
  /** In major units: "19.99". */
  readonly price: string
  readonly currency: string
  readonly units: string
  readonly per_buyer_limit: string
}

/** A sale as it is typed: texts, as the fields have them. Moments are local, as `datetime-local` has them. */
export interface SaleDraft {
  readonly id: string
  readonly name: string
  readonly opens: 'now' | 'at'
  readonly opens_at: string
  readonly ends_at: string
  readonly lobby_opens_at: string
  readonly post_sale_at: string
  readonly order: 'fifo' | 'draw'
  readonly rate_per_second: string
  readonly checkout_cap: string
  readonly checkouts_per_unit: string
  readonly standby_threshold: string
  readonly payment_window_s: string
  readonly hold_s: string
  readonly pass_s: string
  readonly turn_s: string
  readonly proof_of_work: boolean
  readonly limits: boolean
  readonly risk: boolean
  readonly captcha: boolean
  readonly decoy: boolean
  /** All settings of the guard, of which the form shows the switches. */
  readonly guard: Readonly<Record<string, unknown>>
  readonly approval: 'one_person' | 'two_persons' | 'automatic'
  readonly gift: 'share' | 'amount'
  /** Percent of the price, or in major units. */
  readonly gift_value: string
  readonly valid_days: string
  readonly message: string
  readonly products: readonly ProductDraft[]
}

let rows = 0

export function newProduct(currency = 'EUR'): ProductDraft {
  const texts = { id: '', name: '', description: '', price: '', units: '' }
  return { key: rows++, existing: false, ...texts, currency, per_buyer_limit: '1' }
}

const HOUR_MS = 3_600_000

/** What a newcomer finds: a sale in a day's time that would run well as it is, but for its name and product. */
export function newDraft(now: number): SaleDraft {
  const nextDay = Math.ceil(now / HOUR_MS) * HOUR_MS + 24 * HOUR_MS
  return {
    ...{ id: '', name: '', opens: 'at', opens_at: toLocal(nextDay), ends_at: '', lobby_opens_at: '' },
    ...{ post_sale_at: '', order: 'fifo', rate_per_second: '20', checkout_cap: '', checkouts_per_unit: '3' },
    ...{ standby_threshold: '', payment_window_s: '300', hold_s: '600', pass_s: '600', turn_s: '120' },
    ...{ proof_of_work: true, limits: true, risk: true, captcha: true, decoy: false, guard: {} },
    ...{ approval: 'one_person', gift: 'share', gift_value: '10', valid_days: '365', message: '' },
    products: [newProduct()],
  }
}

/** What `datetime-local` shows of a moment. */
export function toLocal(ms: number): string {
  const local = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 16)
}

const moment = (text: string) => (text === '' ? null : new Date(text).getTime())

/** "My Sale 2!" as an id: "my-sale-2". */
export function slug(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 60)
    .replace(/-+$/, '')
}

/** How many minor units make one: two decimals for euros, none for yen. */
export function decimalsOf(currency: string): number {
  try {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency })
    return format.resolvedOptions().maximumFractionDigits ?? 2
  } catch {
    return 2
  }
}

/** Minor units of a price as it is typed; NaN where it is none, or finer than the currency. */
export function minorUnits(price: string, currency: string): number | undefined {
  const text = price.trim().replace(',', '.')
  if (text === '') return undefined
  const decimals = decimalsOf(currency)
  const [, whole, fraction = ''] = /^(\d+)(?:\.(\d*))?$/.exec(text) ?? []
  if (whole === undefined || fraction.length > decimals) return NaN
  return Number(whole + fraction.padEnd(decimals, '0'))
}

export function majorUnits(amount: number, currency: string): string {
  const decimals = decimalsOf(currency)
  return (amount / 10 ** decimals).toFixed(decimals)
}

/** Switches of the guard. */
export const GUARDS = ['proof_of_work', 'limits', 'risk', 'captcha', 'decoy'] as const

function giftOf({ gift, gift_value, products }: SaleDraft) {
  if (gift === 'share') return { share: (decimal(gift_value) ?? NaN) / 100 }
  return { amount: minorUnits(gift_value, products[0]?.currency ?? '') ?? NaN }
}

/** What goes to the server, but for the reason; not checked yet. */
export function toRequest(draft: SaleDraft): Omit<NewSaleInput, 'reason'> {
  const request = {
    id: draft.id.trim(),
    name: draft.name,
    ...(draft.opens === 'now' ? {} : { opens_at: moment(draft.opens_at) ?? undefined }),
    ends_at: moment(draft.ends_at),
    lobby_opens_at: moment(draft.lobby_opens_at),
    post_sale_at: moment(draft.post_sale_at),
    order: draft.order,
    rate_per_second: decimal(draft.rate_per_second),
    checkout_cap: wholeNumber(draft.checkout_cap) ?? null,
    checkouts_per_unit: decimal(draft.checkouts_per_unit),
    standby_threshold: wholeNumber(draft.standby_threshold) ?? null,
    payment_window_s: decimal(draft.payment_window_s),
    hold_s: decimal(draft.hold_s),
    pass_s: decimal(draft.pass_s),
    turn_s: decimal(draft.turn_s),
    guard: {
      ...draft.guard,
      ...Object.fromEntries(
        GUARDS.map((name) => [name, { ...(draft.guard[name] as object | undefined), on: draft[name] }]),
      ),
    },
    oversell: {
      approval: draft.approval,
      gift_card: giftOf(draft),
      valid_days: wholeNumber(draft.valid_days),
    },
    message: draft.message,
    products: draft.products.map(({ id, name, description, price, currency, units, per_buyer_limit }) => ({
      ...{ id: id.trim(), name, description, amount: minorUnits(price, currency), currency },
      ...{ units: wholeNumber(units), per_buyer_limit: wholeNumber(per_buyer_limit) },
    })),
  }
  // Undefined and NaN are what the schema is there to refuse.
  return request as Omit<NewSaleInput, 'reason'>
}
