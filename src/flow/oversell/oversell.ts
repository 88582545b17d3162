import type { ItemId } from '../../contracts/ids.ts'
import { giftFor, OversellSettings, PERSONS } from '../../contracts/oversell.ts'
import type { Database, Shards, Sql } from '../../platform/postgres.ts'
import type { Log } from '../../platform/telemetry.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { GiftCards } from '../gift-cards/gift-cards.ts'
import type { Inventory } from '../inventory/inventory.ts'
import type { Order, Orders, Tombstone } from '../orders/orders.ts'
import type { Reconcile } from '../reconcile/reconcile.ts'
import { createExecution } from './execution.ts'
import { createLostClaims } from './lost-claims.ts'
import { hashOf, lastOnes, type PlannedOrder } from './plan.ts'
import { insertApproval, openPlan, type Plan, selectApproved, selectPlan } from './sql.ts'

export type { PlannedOrder } from './plan.ts'
export type { Plan, PlanOutcome } from './sql.ts'

export interface Preview {
  readonly item_id: ItemId
  readonly units: number
  /** Units PAID and PENDING beyond those there are. */
  readonly oversold: number
  /** What an approval names; another list has another. */
  readonly hash: string
  /** The last one to claim first. */
  readonly orders: readonly PlannedOrder[]
  readonly persons: number
}

export type ApproveOutcome =
  | { readonly kind: 'approved' | 'waiting'; readonly plan: Plan }
  | { readonly kind: 'unknown_item' | 'not_oversold' | 'outdated' }

/** A person, or the sale's own rule, with a reason. */
export interface Approver {
  readonly operator: string
  readonly reason: string
}

export interface OversoldItem {
  readonly item_id: ItemId
  readonly units: number
  readonly paid: number
  readonly pending: number
  readonly oversold: number
}

/** More was sold than there is: detect, preview, approve, cancel the last ones (design, section 7). */
export interface Oversell {
  /** Items with more units PAID and PENDING than there are. */
  list(): Promise<OversoldItem[]>
  /** Exactly which orders would be cancelled now; `undefined`: the item is not oversold, or there is none. */
  preview(item: ItemId): Promise<Preview | undefined>
  /** One person approves what they were shown: the list must still be that of `hash`. */
  approve(by: Approver, item: ItemId, hash: string): Promise<ApproveOutcome>
  /** The latest plan of an item, and how many of its orders have been cancelled. */
  progress(item: ItemId): Promise<{ readonly plan: Plan; readonly cancelled: number } | undefined>
  /** Approves what reconciliation has found in sales that say `automatic`. */
  approveAutomatic(): Promise<void>
  /** Carries out what is approved, or goes on with it. Safe to repeat, and to run in several processes at once. */
  execute(): Promise<void>
  /**
   * Ends a claim that nothing but its receipt knows of, when its units are gone for good: an order FAILED `oversold`
   * with its gift card, or neither. Safe to repeat, and to do several times at once; a row that is there already stays.
   */
  endLost(claim: Tombstone): Promise<void>
}

export interface AuditEntry extends Approver {
  readonly command: string
  readonly target: string
  readonly detail: Record<string, unknown>
}

export interface OversellParts {
  readonly shards: Shards
  readonly database: Database
  readonly orders: Orders
  readonly catalogue: Pick<Catalogue, 'product' | 'products' | 'units' | 'oversell'>
  readonly giftCards: Pick<GiftCards, 'issue'>
  readonly inventory: Pick<Inventory, 'release'>
  readonly reconcile: Pick<Reconcile, 'item' | 'latest'>
  /** Writes into the audit log; `sql`: in the transaction of what it tells. */
  readonly audit: (sql: Sql, entry: AuditEntry) => Promise<void>
  readonly log: Log
}

const AUTOMATIC: Approver = { operator: 'automatic', reason: 'the sale says automatic' }

export function createOversell(parts: OversellParts): Oversell {
  const { database, orders, catalogue, reconcile, audit, log } = parts

  const settingsOf = async (item: ItemId): Promise<OversellSettings> => {
    const product = await catalogue.product(item)
    const settings = product && (await catalogue.oversell(product.sale_id))
    return settings ?? OversellSettings.parse({})
  }
  const count = async (item: ItemId): Promise<OversoldItem | undefined> => {
    const units = await catalogue.units(item)
    if (units === undefined) return undefined
    const { PAID, PENDING } = await orders.count(item)
    const oversold = Math.max(0, PAID.units + PENDING.units - units)
    return { item_id: item, units, paid: PAID.units, pending: PENDING.units, oversold }
  }
  const planned = (order: Order, settings: OversellSettings): PlannedOrder => {
    const { order_id, user_id, claim_seq, quantity, amount, currency, status } = order
    const gift = giftFor(order, settings).amount
    return { order_id, user_id, claim_seq, quantity, amount, currency, status, gift }
  }

  const preview = async (item: ItemId): Promise<Preview | undefined> => {
    const counted = await count(item)
    if (counted === undefined || counted.oversold === 0) return undefined
    const { units, oversold } = counted
    const settings = await settingsOf(item)
    // No order has less than one unit.
    const last = lastOnes(await orders.lastActive(item, oversold), oversold)
    const list = last.map((order) => planned(order, settings))
    return {
      item_id: item,
      units,
      oversold,
      hash: hashOf(item, list),
      orders: list,
      persons: PERSONS[settings.approval],
    }
  }

  const note = async (by: Approver, { item_id, hash, orders: list, oversold, persons }: Preview) => {
    const key = { item_id, hash }
    await database.transaction(async (sql) => {
      await openPlan(sql, { ...key, orders: list, units: oversold, persons })
      const fresh = persons === 0 || (await insertApproval(sql, key, by))
      const ids = list.map(({ order_id }) => order_id)
      if (fresh)
        await audit(sql, {
          ...by,
          command: 'oversell.approve',
          target: item_id,
          detail: { hash, orders: ids, persons },
        })
    })
    const plan = await selectPlan(database, item_id, hash)
    if (plan === undefined) throw new Error(`the plan ${hash} of ${item_id} is gone`)
    return plan
  }

  const execute = createExecution({ ...parts, count, settingsOf })

  return {
    endLost: createLostClaims({ ...parts, settingsOf }),
    list: async () => {
      const counted = await Promise.all((await catalogue.products()).map(({ id }) => count(id)))
      return counted.flatMap((one) => (one !== undefined && one.oversold > 0 ? [one] : []))
    },
    preview,
    approve: async (by, item, hash) => {
      if ((await catalogue.units(item)) === undefined) return { kind: 'unknown_item' }
      const shown = await preview(item)
      if (shown === undefined) return { kind: 'not_oversold' }
      if (shown.hash !== hash) return { kind: 'outdated' }
      const plan = await note(by, shown)
      return { kind: plan.approvals.length >= plan.persons ? 'approved' : 'waiting', plan }
    },
    progress: async (item) => {
      const plan = await selectPlan(database, item)
      if (plan === undefined) return undefined
      const found = await Promise.all(
        plan.orders.map(({ user_id, order_id }) => orders.find(user_id, order_id)),
      )
      const cancelled = found.filter((order) => order?.failure_reason === 'oversold').length
      return { plan, cancelled }
    },
    approveAutomatic: async () => {
      for (const { item_id, outcome } of await reconcile.latest()) {
        if (outcome !== 'oversold' || (await settingsOf(item_id)).approval !== 'automatic') continue
        const shown = await preview(item_id)
        const waiting = (await selectApproved(database)).some((plan) => plan.item_id === item_id)
        if (shown !== undefined && !waiting) await note(AUTOMATIC, shown)
      }
    },
    execute: async () => {
      for (const plan of await selectApproved(database))
        await execute(plan).catch((error: unknown) =>
          log.warn({ err: error, item_id: plan.item_id }, 'cancelling oversold orders failed; tried again'),
        )
    },
  }
}
