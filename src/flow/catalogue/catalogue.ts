import type { ItemId, SaleId } from '../../contracts/ids.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/postgres.ts'
import { insertProduct, insertSale, readAll, updateSale } from './sql.ts'

/** A sale as its operator set it up. Times in milliseconds since the epoch, durations in seconds. */
export interface Sale {
  readonly id: SaleId
  readonly name: string
  readonly opens_at: number
  readonly ends_at: number | null
  /** The operator's hand. What visitors see also depends on the time and the stock. */
  readonly state: 'open' | 'paused' | 'ended'
  /** People let through the waiting room per second. */
  readonly rate_per_second: number
  readonly payment_window_s: number
  readonly hold_s: number
  /** How long a pass of the waiting room is good for. */
  readonly pass_s: number
  readonly message: string
}

/** One item of a sale. `amount` is the price of one unit in minor units. */
export interface Product {
  readonly id: ItemId
  readonly sale_id: SaleId
  readonly name: string
  readonly description: string
  readonly amount: number
  readonly currency: string
  readonly units: number
  readonly per_buyer_limit: number
}

export interface SaleChange {
  readonly state?: Sale['state']
  readonly opens_at?: number
  readonly rate_per_second?: number
  readonly message?: string
}

export type CreateOutcome =
  | { readonly kind: 'created' }
  | { readonly kind: 'exists'; readonly what: 'sale' | 'product'; readonly id: string }

/** Sales and products: the truth about prices, numbers and times. Reads are at most a second old. */
export interface Catalogue {
  sale(id: SaleId): Promise<Sale | undefined>
  product(id: ItemId): Promise<Product | undefined>
  sales(): Promise<Sale[]>
  /** All products, or those of one sale. */
  products(sale?: SaleId): Promise<Product[]>
  /** Writes the sale and its products, all or nothing. */
  create(sale: Sale, products: readonly Product[]): Promise<CreateOutcome>
  change(id: SaleId, change: SaleChange): Promise<'changed' | 'unknown_sale'>
}

const FRESH_MS = 1000

interface Snapshot {
  readonly read_at: number
  readonly sales: ReadonlyMap<SaleId, Sale>
  readonly products: ReadonlyMap<ItemId, Product>
}

/**
 * Keeps the whole catalogue, a few rows, in memory and reads it again once a second while it is asked for: a
 * flood of requests, for unknown items too, costs SQL one read a second. While SQL is away the last known
 * catalogue serves on, so claims do not depend on it.
 */
export function createCatalogue({ database, clock }: { database: Database; clock: Clock }): Catalogue {
  let latest: Snapshot | undefined
  let reading: Promise<Snapshot> | undefined
  let writes = 0

  const read = async (): Promise<Snapshot> => {
    const read_at = clock.now()
    const writesBefore = writes
    const { sales, products } = await readAll(database)
    latest = {
      // A write that landed while we read may be missing from what we read: such a snapshot is stale at once.
      read_at: writes === writesBefore ? read_at : 0,
      sales: new Map(sales.map((sale) => [sale.id, sale])),
      products: new Map(products.map((product) => [product.id, product])),
    }
    return latest
  }
  const refresh = () => (reading ??= read().finally(() => (reading = undefined)))
  const current = async (): Promise<Snapshot> => {
    if (latest !== undefined && clock.now() - latest.read_at < FRESH_MS) return latest
    const known = latest
    return known === undefined ? refresh() : refresh().catch(() => known)
  }
  const afterWrite = () => {
    writes += 1
    latest = latest && { ...latest, read_at: 0 }
  }

  return {
    sale: async (id) => (await current()).sales.get(id),
    product: async (id) => (await current()).products.get(id),
    sales: async () => [...(await current()).sales.values()],
    products: async (sale) =>
      [...(await current()).products.values()].filter(
        ({ sale_id }) => sale === undefined || sale_id === sale,
      ),
    create: async (sale, products) => {
      class Exists extends Error {
        readonly outcome: CreateOutcome
        constructor(what: 'sale' | 'product', id: string) {
          super(`${what} ${id} exists`)
          this.outcome = { kind: 'exists', what, id }
        }
      }
      try {
        await database.transaction(async (sql) => {
          if (!(await insertSale(sql, sale))) throw new Exists('sale', sale.id)
          for (const product of products)
            if (!(await insertProduct(sql, product))) throw new Exists('product', product.id)
        })
      } catch (error) {
        if (error instanceof Exists) return error.outcome
        throw error
      }
      afterWrite()
      return { kind: 'created' }
    },
    change: async (id, change) => {
      const found = await updateSale(database, id, change)
      afterWrite()
      return found ? 'changed' : 'unknown_sale'
    },
  }
}
