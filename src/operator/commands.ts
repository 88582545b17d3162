import type { ItemId, SaleId } from '../contracts/ids.ts'
import type { Clock } from '../platform/clock.ts'
import type { Database } from '../platform/postgres.ts'
import { contradictionIn } from '../contracts/sale-rules.ts'
import type {
  Catalogue,
  Group,
  NewPicture,
  NewProduct,
  Product,
  Sale,
  SaleChange,
} from '../flow/catalogue/catalogue.ts'
import type { EventLog } from '../flow/events/events.ts'
import type { Inventory } from '../flow/inventory/inventory.ts'
import type { Reconcile, ReconcileRun } from '../flow/reconcile/reconcile.ts'
import { groupCodeHash, type WaitingRoom } from '../flow/waiting-room/waiting-room.ts'
import { misfit, newDraw } from './sale-parts.ts'
import { insertAudit } from './sql.ts'

/** Who gives a command and why; every command leaves this in the audit log before it does anything. */
export interface Authority {
  readonly operator: string
  readonly reason: string
}

export type NewSale = Omit<Sale, 'state' | 'opens_at' | 'draw_commitment' | 'rehearsal'> & {
  /** The sale that it is a rehearsal of. */
  readonly rehearsal_of?: SaleId
  /** How those who came before the opening are ordered. */
  readonly order: 'fifo' | 'draw'
  /** Settings of the guard. */
  readonly guard: Record<string, unknown>
  /** What happens when more was sold than there is; defaults for the rest. */
  readonly oversell?: Record<string, unknown> | undefined
  /** Now, where it is left out. */
  readonly opens_at?: number | undefined
  readonly products: readonly Omit<NewProduct, 'sale_id'>[]
}

export type NewGroup = Omit<Group, 'code_hash'> & { readonly code: string }

export type CreateSaleOutcome =
  | { readonly kind: 'created' }
  | { readonly kind: 'exists'; readonly what: 'sale' | 'product'; readonly id: string }
  | { readonly kind: 'contradiction'; readonly why: string }

/** `ended`: for good; it can not be opened again. */
export type Changed = 'changed' | 'unknown_sale' | 'ended'

export interface Commands {
  createSale(by: Authority, sale: NewSale): Promise<CreateSaleOutcome>
  /** Opens the waiting room and the items now. */
  open(by: Authority, sale: SaleId): Promise<Changed>
  /** Keeps every place; nobody enters, nothing is sold. */
  pause(by: Authority, sale: SaleId): Promise<Changed>
  resume(by: Authority, sale: SaleId): Promise<Changed>
  end(by: Authority, sale: SaleId): Promise<Changed>
  setRate(by: Authority, sale: SaleId, ratePerSecond: number): Promise<Changed>
  /** Most people in checkout at once; null: no limit. */
  setCap(by: Authority, sale: SaleId, cap: number | null): Promise<Changed>
  /** Shown to everybody who waits. */
  setMessage(by: Authority, sale: SaleId, message: string): Promise<Changed>
  /** From now on the sale's page is the one of a sale that is over. */
  close(by: Authority, sale: SaleId): Promise<Changed>
  /** Back to standby: everybody walks through until too many arrive. */
  standby(by: Authority, sale: SaleId): Promise<Changed | 'no_threshold'>
  addGroup(by: Authority, group: NewGroup): ReturnType<Catalogue['addGroup']>
  /** After a count in the warehouse: SQL first, then the stock; what was sold beyond it falls under the oversell policy. */
  setUnits(by: Authority, item: ItemId, units: number): Promise<ReconcileRun | 'unknown_item'>
  /** Splits an item's stock into parts, for good. `begun`: something was claimed of it, or nothing is known of it now. */
  split(
    by: Authority,
    item: ItemId,
    parts: number,
  ): Promise<ReconcileRun | 'unknown_item' | 'too_late' | 'begun'>
  /** null takes the picture away; pages draw one then. */
  setPicture(by: Authority, item: ItemId, picture: NewPicture | null): ReturnType<Catalogue['setPicture']>
  reconcile(by: Authority, item?: string): Promise<ReconcileRun[]>
  replay(by: Authority, deadLetter: string): ReturnType<EventLog['replay']>
}

export interface CommandParts {
  readonly database: Database
  readonly catalogue: Catalogue
  readonly inventory: Inventory
  readonly waitingRoom: WaitingRoom
  readonly reconcile: Reconcile
  readonly eventLog: Pick<EventLog, 'replay'>
  readonly clock: Clock
}

export function createCommands(parts: CommandParts): Commands {
  const { database, catalogue, inventory, waitingRoom, reconcile, eventLog, clock } = parts
  const audit = (by: Authority, command: string, target: string, detail: Record<string, unknown> = {}) =>
    insertAudit(database, { ...by, command, target, detail })

  /** SQL first; the waiting room and the items follow, and are brought in line at the next try if they do not. */
  const change = async (sale: SaleId, wanted: SaleChange): Promise<Changed> => {
    if (wanted.state !== undefined && wanted.state !== 'ended')
      if ((await catalogue.sale(sale))?.state === 'ended') return 'ended'
    const outcome = await catalogue.change(sale, wanted)
    if (outcome === 'unknown_sale') return outcome
    const { state, opens_at, rate_per_second } = wanted
    for (const { id } of await catalogue.products(sale))
      if (state !== undefined || opens_at !== undefined)
        await inventory.setState(id, {
          ...(state === undefined ? {} : { state }),
          ...(opens_at === undefined ? {} : { opens_at }),
        })
    await waitingRoom.steer(sale, {
      ...(state === undefined ? {} : { state }),
      ...(opens_at === undefined ? {} : { opens_at }),
      ...(rate_per_second === undefined ? {} : { rate: rate_per_second }),
    })
    return outcome
  }

  return {
    createSale: async (
      by,
      { products, opens_at, order, guard, oversell = {}, rehearsal_of = null, ...rest },
    ) => {
      const { draw_secret, draw_commitment } = newDraw(order)
      const sale: Sale = {
        ...{ ...rest, draw_commitment, state: 'open', opens_at: opens_at ?? clock.now() },
        rehearsal: rehearsal_of !== null,
      }
      const why = contradictionIn({ ...sale, products })?.why ?? misfit(guard)
      if (why !== undefined) return { kind: 'contradiction', why }
      await audit(by, 'sale.create', sale.id, { sale, products, oversell, rehearsal_of })
      const items = products.map((product) => ({ ...product, sale_id: sale.id }))
      const outcome = await catalogue.create(sale, items, { draw_secret, guard, oversell, rehearsal_of })
      if (outcome.kind === 'created') await furnish(parts, sale, items)
      return outcome
    },
    open: async (by, sale) => {
      await audit(by, 'sale.open', sale)
      return change(sale, { state: 'open', opens_at: clock.now() })
    },
    pause: async (by, sale) => {
      await audit(by, 'sale.pause', sale)
      return change(sale, { state: 'paused' })
    },
    resume: async (by, sale) => {
      await audit(by, 'sale.resume', sale)
      return change(sale, { state: 'open' })
    },
    end: async (by, sale) => {
      await audit(by, 'sale.end', sale)
      return change(sale, { state: 'ended' })
    },
    setRate: async (by, sale, rate_per_second) => {
      await audit(by, 'sale.rate', sale, { rate_per_second })
      return change(sale, { rate_per_second })
    },
    setCap: async (by, sale, checkout_cap) => {
      await audit(by, 'sale.cap', sale, { checkout_cap })
      return change(sale, { checkout_cap })
    },
    setMessage: async (by, sale, message) => {
      await audit(by, 'sale.message', sale, { message })
      return change(sale, { message })
    },
    close: async (by, sale) => {
      await audit(by, 'sale.close', sale)
      return change(sale, { state: 'ended', post_sale_at: clock.now() })
    },
    standby: async (by, id) => {
      const sale = await catalogue.sale(id)
      if (sale === undefined) return 'unknown_sale'
      if (sale.standby_threshold === null) return 'no_threshold'
      await audit(by, 'sale.standby', id)
      await waitingRoom.steer(id, { dormant: true })
      return 'changed'
    },
    addGroup: async (by, { code, ...group }) => {
      await audit(by, 'group.create', group.sale_id, { ...group })
      const outcome = await catalogue.addGroup({ ...group, code_hash: groupCodeHash(group.sale_id, code) })
      const sale = await catalogue.sale(group.sale_id)
      if (outcome === 'created' && sale !== undefined) await openWaitingRoom(parts, sale)
      return outcome
    },
    setUnits: async (by, item, units) => {
      const before = await catalogue.units(item)
      if (before === undefined) return 'unknown_item'
      await audit(by, 'item.units', item, { units, before })
      const outcome = await catalogue.setUnits(item, units)
      return outcome === 'changed' ? reconcile.item(item) : outcome
    },
    split: async (by, item, parts) => {
      const product = await catalogue.product(item)
      const sale = product && (await catalogue.sale(product.sale_id))
      if (sale === undefined) return 'unknown_item'
      if ((await inventory.stock(item))?.seq !== 0) return 'begun'
      await audit(by, 'item.split', item, { parts })
      const outcome = await catalogue.split(item, parts)
      if (outcome !== 'changed') return outcome
      const { id: sale_id, state, opens_at, ends_at } = sale
      // All units are in the first part, which is fenced until reconciliation has looked at it; so are parts that are missing.
      await inventory.load({ item_id: item, sale_id, total: 0, parts, state, opens_at, ends_at })
      const run = await reconcile.item(item)
      await inventory.transfers.spread(item, parts)
      return run
    },
    setPicture: async (by, item, picture) => {
      if ((await catalogue.product(item)) === undefined) return 'unknown_item'
      const { body, ...facts } = picture ?? {}
      await audit(by, 'item.picture', item, body === undefined ? {} : { ...facts, bytes: body.length })
      return catalogue.setPicture(item, picture)
    },
    reconcile: async (by, item) => {
      await audit(by, 'reconcile', item ?? 'all items')
      return item === undefined ? reconcile.all() : [await reconcile.item(item)]
    },
    replay: async (by, deadLetter) => {
      await audit(by, 'dead-letter.replay', deadLetter)
      return eventLog.replay(deadLetter)
    },
  }
}

/** Puts a new sale's waiting room and stock where they are missing. Safe to repeat. */
export async function furnish(
  { catalogue, inventory, waitingRoom }: Pick<CommandParts, 'catalogue' | 'inventory' | 'waitingRoom'>,
  sale: Sale,
  products: readonly Pick<Product, 'id' | 'units' | 'stock_parts'>[],
): Promise<void> {
  await openWaitingRoom({ catalogue, waitingRoom }, sale)
  for (const { id, units, stock_parts } of products)
    await inventory.load({
      item_id: id,
      parts: stock_parts,
      sale_id: sale.id,
      total: units,
      state: sale.state,
      opens_at: sale.opens_at,
      ends_at: sale.ends_at,
    })
}

/** Puts a sale's waiting room where it is missing, in the state the sale is in. Safe to repeat. */
export async function openWaitingRoom(
  {
    catalogue,
    waitingRoom,
  }: Pick<CommandParts, 'catalogue'> & {
    readonly waitingRoom: Pick<WaitingRoom, 'create' | 'steer'>
  },
  sale: Sale,
): Promise<void> {
  const [groups, secret] = await Promise.all([catalogue.groups(sale.id), catalogue.drawSecret(sale.id)])
  const created = await waitingRoom.create(sale, groups, secret)
  if (created === 'created' && sale.state !== 'open') await waitingRoom.steer(sale.id, { state: sale.state })
}
