import type { SaleId } from '../contracts/ids.ts'
import type { Catalogue, Sale } from '../flow/catalogue/catalogue.ts'
import type { Order } from '../flow/orders/orders.ts'
import type { ProviderName } from '../flow/payments/payments.ts'
import type { Clock } from '../platform/clock.ts'
import type { Secrets } from '../platform/config.ts'
import type { Database } from '../platform/postgres.ts'
import type { Authority, Commands, NewSale } from './commands.ts'
import { isOver } from './live/lifetime.ts'
import { insertAudit } from './sql.ts'

/**
 * No real money moves for a rehearsal: where a provider is set up with live keys it is not asked, and gift cards are neither
 * taken nor given. A sale that nobody knows counts as one.
 */
export function rehearsalRule(
  catalogue: Pick<Catalogue, 'sale'>,
  { stripe, paypal }: Pick<Secrets, 'stripe' | 'paypal'>,
) {
  const live = new Set<ProviderName>([
    ...(stripe.live ? ['stripe' as const] : []),
    ...(paypal?.live === true ? ['paypal' as const] : []),
  ])
  const isRehearsal = async ({ sale_id }: Order) => (await catalogue.sale(sale_id))?.rehearsal ?? true
  return {
    mayCharge: async (order: Order, provider: ProviderName) =>
      !live.has(provider) || !(await isRehearsal(order)),
    mayMove: async (order: Order) => live.size === 0 || !(await isRehearsal(order)),
  }
}

export type RehearseOutcome =
  { readonly kind: 'created'; readonly id: SaleId } | { readonly kind: 'unknown_sale' }

export interface Rehearsals {
  /** Copies a sale and its products under ids of their own; it opens in so many seconds. Groups are not copied: their codes are. */
  rehearse(by: Authority, sale: SaleId, opensInS: number): Promise<RehearseOutcome>
  /** Puts an ended rehearsal away: it is in no list any more. Nothing is deleted. */
  archive(by: Authority, sale: SaleId): Promise<'archived' | 'unknown_sale' | 'not_rehearsal' | 'not_ended'>
}

export interface RehearsalParts {
  readonly database: Database
  readonly catalogue: Catalogue
  readonly commands: Pick<Commands, 'createSale'>
  readonly clock: Clock
}

const LONGEST_ID = 64
/** Others may be making one of the same number. */
const TRIES = 10

export function createRehearsals({ database, catalogue, commands, clock }: RehearsalParts): Rehearsals {
  return {
    rehearse: async (by, id, opensInS) => {
      const sale = await catalogue.sale(id)
      if (sale === undefined) return { kind: 'unknown_sale' }
      const [products, guard, oversell] = await Promise.all([
        catalogue.products(id),
        catalogue.guard(id),
        catalogue.oversell(id),
      ])
      const taken = new Set((await catalogue.sales()).map((one) => one.id))
      let number = 1
      while (taken.has(copyId(id, number))) number += 1
      for (let last = number + TRIES; number < last; number += 1) {
        const copy: NewSale = {
          ...timesOf(sale, clock.now() + opensInS * 1000),
          id: copyId(id, number),
          rehearsal_of: id,
          guard: guard ?? {},
          oversell,
          products: products.map(({ sale_id: _sale, picture: _picture, ...product }, index) => ({
            ...product,
            id: copyId(product.id, number, index),
          })),
        }
        const outcome = await commands.createSale(by, copy)
        if (outcome.kind === 'contradiction') throw new Error(outcome.why)
        if (outcome.kind !== 'created') continue
        await catalogue.copyPictures(
          products.map((product, n) => [copyId(product.id, number, n), product.id]),
        )
        return { kind: 'created', id: copy.id }
      }
      throw new Error(`no id is free for a rehearsal of ${id}`)
    },
    archive: async (by, id) => {
      const sale = await catalogue.sale(id)
      if (sale === undefined) return 'unknown_sale'
      if (!sale.rehearsal) return 'not_rehearsal'
      if (!isOver(sale, clock.now())) return 'not_ended'
      await insertAudit(database, { ...by, command: 'sale.archive', target: id, detail: {} })
      await catalogue.archive(id)
      return 'archived'
    },
  }
}

/** Where it has to be cut short, `index` keeps two that begin alike apart. */
function copyId(id: string, number: number, index?: number): string {
  const suffix = `-rehearsal-${number}`
  if (id.length + suffix.length <= LONGEST_ID) return id + suffix
  const ending = index === undefined ? suffix : `-${index}${suffix}`
  return id.slice(0, LONGEST_ID - ending.length).replace(/-+$/, '') + ending
}

/** The same sale, with every time as far from the opening as it was. */
function timesOf({ state: _state, rehearsal: _rehearsal, draw_commitment, ...sale }: Sale, opens_at: number) {
  const moved = (ms: number | null) => (ms === null ? null : Math.max(0, ms - sale.opens_at + opens_at))
  const over = sale.post_sale_at !== null && sale.post_sale_at <= sale.opens_at
  return {
    ...sale,
    name: `Rehearsal: ${sale.name}`.slice(0, 200),
    order: draw_commitment === null ? ('fifo' as const) : ('draw' as const),
    opens_at,
    ends_at: moved(sale.ends_at),
    lobby_opens_at: moved(sale.lobby_opens_at),
    post_sale_at: over ? null : moved(sale.post_sale_at),
  }
}
