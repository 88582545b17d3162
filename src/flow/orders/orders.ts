import type { OrderCreated, Restocked } from '../../contracts/events.ts'
import type { ItemId, OrderId, SaleId, UserId } from '../../contracts/ids.ts'
import { TRANSITIONS, type FailureReason, type OrderStatus } from '../../contracts/orders.ts'
import { everywhere, type Shards, type Sql } from '../../platform/postgres.ts'
import * as sqlStore from './sql.ts'

/** An order as SQL, the source of truth, knows it. Times in ms; `amount` for the whole order in minor units. */
export interface Order {
  readonly order_id: OrderId
  readonly user_id: UserId
  readonly sale_id: SaleId
  readonly item_id: ItemId
  readonly quantity: number
  readonly amount: number
  readonly currency: string
  readonly status: OrderStatus
  readonly failure_reason: FailureReason | null
  readonly claim_seq: number
  readonly claimed_at: number
  readonly pay_by: number
  readonly hold_expires_at: number
}

export type NewOrder = Order
export type Tombstone = Omit<Order, 'status' | 'failure_reason'>

/** The statements on one shard. A model in memory stands in for them in the simulation. */
export type OrderStore = typeof sqlStore

export * from './overview-sql.ts'

export interface Orders {
  /** Writes a batch of new orders; a large one by several statements per shard at once. Safe to repeat. */
  insert(events: readonly OrderCreated[]): Promise<void>
  /** Notes that the units of failed orders are back in stock. Safe to repeat. */
  restocked(events: readonly Restocked[]): Promise<void>
  /** `sql`: to read inside a transaction on the buyer's shard. */
  find(user: UserId, id: OrderId, sql?: Sql): Promise<Order | undefined>
  /** The same, and nobody decides about the order until the transaction ends. */
  lock(sql: Sql, user: UserId, id: OrderId): Promise<Order | undefined>
  /** Newest first, from exactly one shard. */
  of(user: UserId): Promise<Order[]>
  /** PENDING->PAID. `sql` is the transaction on the buyer's shard in which the payment is recorded. */
  pay(sql: Sql, user: UserId, id: OrderId): Promise<boolean>
  /**
   * To FAILED, where the table of transitions allows this reason; false where somebody else decided first. `sql`: a
   * transaction on the buyer's shard in which more is written.
   */
  fail(user: UserId, id: OrderId, reason: FailureReason, sql?: Sql): Promise<boolean>
  /**
   * Decides for a hold without a row: writes the FAILED row, so that its event, should it still come, changes
   * nothing. Where a row has appeared meanwhile it stays as it is. `sql`: a transaction on the buyer's shard in which
   * more is written.
   */
  bury(order: Tombstone, reason: FailureReason, sql?: Sql): Promise<void>
  /** Numbers of the shards: what can be asked of one while another is away. */
  readonly shards: readonly number[]
  /** Where everything of this buyer is. */
  shardOf(user: UserId): number
  /** Unpaid orders of a shard past their payment window, the oldest `max`. */
  overdue(shard: number, max: number): Promise<Order[]>
  /** Failed orders of a shard whose hold would go on, and of whose units no event says that they are back. */
  unreleased(shard: number, max: number): Promise<Order[]>
  /** Orders and units of an item per status, over all shards. */
  count(item: ItemId): Promise<Record<OrderStatus, { orders: number; units: number }>>
  /** Every order of an item, over all shards. */
  forItem(item: ItemId): Promise<Order[]>
  /** The latest `max` orders of an item that are PENDING or PAID, the last one to claim first. */
  lastActive(item: ItemId, max: number): Promise<Order[]>
}

/** The states an order may be in for this failure; from the table of transitions. */
const statesBefore = (reason: FailureReason): OrderStatus[] =>
  TRANSITIONS.filter(
    ({ to, reasons }) => to === 'FAILED' && (reasons as readonly FailureReason[]).includes(reason),
  ).map(({ from }) => from)

/** A statement keeps one core of PostgreSQL busy: of a large batch a shard gets so many at once, each of so many rows at least. */
export const STATEMENTS = 2
const ROWS = 256

/** An order that comes twice is in one part both times: no two statements wait for each other. */
function split(events: readonly OrderCreated[]): (readonly OrderCreated[])[] {
  const parts = Math.min(STATEMENTS, Math.ceil(events.length / ROWS))
  if (parts <= 1) return [events]
  return [...Map.groupBy(events, ({ order_id }) => parseInt(order_id.slice(-4), 16) % parts).values()]
}

const pending = ({ timestamp, ...event }: OrderCreated): NewOrder => ({
  ...event,
  claimed_at: timestamp,
  status: 'PENDING',
  failure_reason: null,
})

/** Waits for every one, then throws what the first that failed threw: nothing goes on behind the caller's back. */
async function all(works: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(works)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}

export interface OrderParts {
  readonly shards: Shards
  readonly store?: OrderStore
}

export function createOrders({ shards, store = sqlStore }: OrderParts): Orders {
  const perShard = async <Event extends { user_id: UserId }>(
    events: readonly Event[],
    write: (sql: Sql, batch: readonly Event[]) => Promise<unknown>,
  ) => {
    await shards.spread(events, ({ sql }, batch) => write(sql, batch))
  }
  const ofEach = async <Row>(read: (sql: Sql) => Promise<Row[]>) =>
    (await everywhere(shards, ({ sql }) => read(sql))).flat()

  const numbered = (shard: number): Sql => {
    const database = shards.all[shard]
    if (database === undefined) throw new RangeError(`no shard ${shard}`)
    return database
  }

  return {
    insert: (events) =>
      perShard(events, (sql, batch) =>
        all(split(batch).map((part) => store.insertOrders(sql, part.map(pending)))),
      ),
    restocked: (events) => perShard(events, store.markRestocked),
    find: (user, id, sql) => store.selectOrder(sql ?? shards.of(user), user, id),
    lock: store.selectOrderForUpdate,
    of: (user) => store.selectOrdersOf(shards.of(user), user),
    pay: store.compareAndPay,
    fail: (user, id, reason, sql) =>
      store.compareAndFail(sql ?? shards.of(user), user, id, statesBefore(reason), reason),
    bury: (order, failure_reason, sql) =>
      store.insertOrders(sql ?? shards.of(order.user_id), [{ ...order, status: 'FAILED', failure_reason }]),
    shards: shards.all.map((_database, number) => number),
    shardOf: (user) => shards.numberOf(user),
    overdue: (shard, max) => store.selectOverdue(numbered(shard), max),
    unreleased: (shard, max) => store.selectUnreleased(numbered(shard), max),
    count: async (item) => {
      const total = {
        PENDING: { orders: 0, units: 0 },
        PAID: { orders: 0, units: 0 },
        FAILED: { orders: 0, units: 0 },
      }
      for (const { status, orders, units } of await ofEach((sql) => store.countByStatus(sql, item))) {
        total[status].orders += orders
        total[status].units += units
      }
      return total
    },
    forItem: (item) => ofEach((sql) => store.selectOrdersForItem(sql, item)),
    lastActive: async (item, max) =>
      (await ofEach((sql) => store.selectLastActive(sql, item, max)))
        .sort(
          (one, other) =>
            other.claimed_at - one.claimed_at ||
            other.claim_seq - one.claim_seq ||
            (one.order_id < other.order_id ? 1 : -1),
        )
        .slice(0, max),
  }
}
