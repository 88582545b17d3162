import type { ItemId, SaleId } from '../../contracts/ids.ts'
import { OversellSettings } from '../../contracts/oversell.ts'
import type { Clock } from '../../platform/clock.ts'
import { forEverybody } from '../../platform/deadline.ts'
import type { Database } from '../../platform/postgres.ts'
import type { NewPicture } from './pictures.ts'
import { copyPictures, updatePicture } from './pictures-sql.ts'
import { createSale, editSale } from './writing.ts'
import {
  archiveSale,
  insertGroup,
  readAll,
  selectDrawSecret,
  selectStock,
  selectUnits,
  splitStock,
  updateSale,
  updateUnits,
} from './sql.ts'
import type { CreateOutcome, Group, NewProduct, Product, Sale, SaleChange, SaleSecrets } from './types.ts'

export { type NewPicture, type Picture, readPicture } from './pictures.ts'

export type * from './types.ts'
export type { EditOutcome, SaleEdits, WholeSale } from './writing.ts'

/** Sales and products: the truth about prices, numbers and times. Reads are at most half a second old. */
export interface Catalogue {
  sale(id: SaleId): Promise<Sale | undefined>
  product(id: ItemId): Promise<Product | undefined>
  /** All there are, those that were put away too. */
  sales(): Promise<Sale[]>
  /** Those that were put away: nobody is shown them in a list. */
  archived(): Promise<ReadonlySet<SaleId>>
  /** All products, or those of one sale. */
  products(sale?: SaleId): Promise<Product[]>
  groups(sale: SaleId): Promise<readonly Group[]>
  /** Settings of the guard for a sale, as they were given. */
  guard(sale: SaleId): Promise<Record<string, unknown> | undefined>
  /** What happens in a sale when more was sold than there is. */
  oversell(sale: SaleId): Promise<OversellSettings | undefined>
  /** Units there are to sell, as SQL says right now: the one number that must not be a second old. */
  units(item: ItemId): Promise<number | undefined>
  /** The same, with the parts that they are split into. */
  stock(item: ItemId): Promise<{ readonly units: number; readonly parts: number } | undefined>
  /** Asked for when the waiting room is created, and never shown. */
  drawSecret(sale: SaleId): Promise<string | null>
  /** Writes the sale and its products, all or nothing. */
  create(sale: Sale, products: readonly NewProduct[], secrets: SaleSecrets): Promise<CreateOutcome>
  /** See `editSale`: reads, decides and writes in one step. */
  edit<Refused>(
    id: SaleId,
    decide: Parameters<typeof editSale<Refused>>[2],
  ): ReturnType<typeof editSale<Refused>>
  /** Each first one gets the picture of the second. */
  copyPictures(products: readonly (readonly [to: ItemId, from: ItemId])[]): Promise<void>
  /** Puts a sale away; safe to repeat. */
  archive(id: SaleId): Promise<void>
  addGroup(group: Group): Promise<'created' | 'exists' | 'unknown_sale'>
  change(id: SaleId, change: SaleChange): Promise<'changed' | 'unknown_sale'>
  /** After a count in the warehouse. */
  setUnits(item: ItemId, units: number): Promise<'changed' | 'unknown_item'>
  /** Splits its stock into parts, once and for good. `too_late`: its sale has opened, or does in a moment, or it is split. */
  split(item: ItemId, parts: number): Promise<'changed' | 'too_late'>
  /** null: none of its own any more. */
  setPicture(item: ItemId, picture: NewPicture | null): Promise<'changed' | 'unknown_item'>
  /** When what is told was last read: it grows old while SQL is away. Undefined before the first time. */
  readAt(): number | undefined
}

/** With `STATUS_FRESH_MS` of the waiting room, well within the second in which everybody must know. */
const FRESH_MS = 500
/** Everybody knows of it before the sale opens. */
const SPLIT_BEFORE_MS = 5000
/** Longest wait for SQL where something is known already. */
const PATIENCE_MS = 200

interface Snapshot {
  readonly read_at: number
  readonly sales: ReadonlyMap<SaleId, Sale>
  readonly products: ReadonlyMap<ItemId, Product>
  readonly groups: ReadonlyMap<SaleId, readonly Group[]>
  readonly archived: ReadonlySet<SaleId>
  readonly guards: ReadonlyMap<SaleId, Record<string, unknown>>
  readonly oversell: ReadonlyMap<SaleId, Record<string, unknown>>
}

/**
 * Keeps the whole catalogue, a few rows, in memory and reads it again every half second while it is asked for: a
 * flood of requests, for unknown items too, costs SQL two reads a second. While SQL is away the last known
 * catalogue serves on, so claims do not depend on it.
 */
export function createCatalogue({ database, clock }: { database: Database; clock: Clock }): Catalogue {
  let latest: Snapshot | undefined
  let reading: Promise<Snapshot> | undefined
  let patience = Promise.resolve()
  let writes = 0
  let lastRead: number | undefined

  const read = async (): Promise<Snapshot> => {
    const read_at = clock.now()
    const writesBefore = writes
    const { sales, products, groups, archived, guards, oversell } = await readAll(database)
    lastRead = read_at
    latest = {
      // A write that landed while we read may be missing from what we read: such a snapshot is stale at once.
      read_at: writes === writesBefore ? read_at : 0,
      sales: new Map(sales.map((sale) => [sale.id, sale])),
      products: new Map(products.map((product) => [product.id, product])),
      groups: Map.groupBy(groups, ({ sale_id }) => sale_id),
      archived,
      guards,
      oversell,
    }
    return latest
  }
  const refresh = () => {
    if (reading === undefined) {
      // For everybody who asks meanwhile, whatever becomes of the request that asked first.
      reading = forEverybody(read).finally(() => (reading = undefined))
      patience = clock.sleep(PATIENCE_MS)
    }
    return reading
  }
  const fresh = (): Snapshot | undefined =>
    latest !== undefined && clock.now() - latest.read_at < FRESH_MS ? latest : undefined
  const current = async (): Promise<Snapshot> => {
    const known = latest
    if (known === undefined) return refresh()
    const found = refresh().catch(() => known)
    // After a write of ours nothing older will do.
    return known.read_at === 0 ? found : Promise.race([found, patience.then(() => known)])
  }
  /** Without a detour where what is known is fresh: each claim looks several times. */
  const look = <T>(pick: (snapshot: Snapshot) => T): Promise<T> => {
    const known = fresh()
    return known === undefined ? current().then(pick) : Promise.resolve(pick(known))
  }
  const afterWrite = () => {
    writes += 1
    latest = latest && { ...latest, read_at: 0 }
  }

  return {
    sale: (id) => look(({ sales }) => sales.get(id)),
    product: (id) => look(({ products }) => products.get(id)),
    sales: () => look(({ sales }) => [...sales.values()]),
    archived: () => look(({ archived }) => archived),
    products: (sale) =>
      look(({ products }) =>
        [...products.values()].filter(({ sale_id }) => sale === undefined || sale_id === sale),
      ),
    groups: (sale) => look(({ groups }) => groups.get(sale) ?? []),
    guard: (sale) => look(({ guards }) => guards.get(sale)),
    oversell: (sale) =>
      look(({ oversell }) => {
        const given = oversell.get(sale)
        return given && OversellSettings.parse(given)
      }),
    units: (item) => selectUnits(database, item),
    stock: (item) => selectStock(database, item),
    drawSecret: (sale) => selectDrawSecret(database, sale),
    addGroup: async (group) => {
      if ((await look(({ sales }) => sales.get(group.sale_id))) === undefined) return 'unknown_sale'
      const created = await insertGroup(database, group)
      afterWrite()
      return created ? 'created' : 'exists'
    },
    create: (sale, products, secrets) => createSale(database, sale, products, secrets).finally(afterWrite),
    edit: async (id, decide) => editSale(database, id, decide).finally(afterWrite),
    copyPictures: (pairs) => copyPictures(database, pairs).finally(afterWrite),
    archive: async (id) => {
      await archiveSale(database, id)
      afterWrite()
    },
    change: async (id, change) => {
      const found = await updateSale(database, id, change)
      afterWrite()
      return found ? 'changed' : 'unknown_sale'
    },
    setUnits: async (item, units) => {
      const found = await updateUnits(database, item, units)
      afterWrite()
      return found ? 'changed' : 'unknown_item'
    },
    split: async (item, parts) => {
      const done = await splitStock(database, item, parts, SPLIT_BEFORE_MS)
      afterWrite()
      return done ? 'changed' : 'too_late'
    },
    setPicture: async (item, picture) => {
      const found = await updatePicture(database, item, picture)
      afterWrite()
      return found ? 'changed' : 'unknown_item'
    },
    readAt: () => lastRead,
  }
}
