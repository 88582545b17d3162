import type { Restocked } from '../../contracts/events.ts'
import type { OrderId, UserId } from '../../contracts/ids.ts'
import type { FailureReason, OrderStatus } from '../../contracts/orders.ts'
import type { Sql } from '../../platform/postgres.ts'
import type { NewOrder, Order } from './orders.ts'

interface OrderRow {
  id: OrderId
  user_id: UserId
  sale_id: string
  item_id: string
  quantity: number
  amount: number
  currency: string
  status: OrderStatus
  failure_reason: FailureReason | null
  claim_seq: number
  claimed_at: Date
  pay_by: Date
  hold_expires_at: Date
}

const COLUMNS =
  'id, user_id, sale_id, item_id, quantity, amount, currency, status, failure_reason, claim_seq, claimed_at, pay_by, hold_expires_at'

/**
 * One statement for a whole batch of one shard. `on conflict do nothing` makes a repeated event a no-op, and keeps a
 * tombstone what it is: an event that arrives late does not resurrect an order that has failed.
 */
export async function insertOrders(sql: Sql, orders: readonly NewOrder[]): Promise<void> {
  const column = <K extends keyof NewOrder>(name: K) => orders.map((order) => order[name])
  // Times go as the numbers they are: written and read as dates they take as much time as all the rest.
  await sql.query(
    `insert into orders (${COLUMNS}, failed_at)
     select id, user_id, sale_id, item_id, quantity, amount, currency, status, failure_reason, claim_seq,
            to_timestamp(claimed_at / 1000), to_timestamp(pay_by / 1000), to_timestamp(hold_expires_at / 1000),
            case when status = 'FAILED' then now() end
     from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[], $7::text[], $8::text[],
                 $9::text[], $10::bigint[], $11::float8[], $12::float8[], $13::float8[])
       as batch (${COLUMNS})
     on conflict (user_id, id) do nothing`,
    [
      column('order_id'),
      column('user_id'),
      column('sale_id'),
      column('item_id'),
      column('quantity'),
      column('amount'),
      column('currency'),
      column('status'),
      column('failure_reason'),
      column('claim_seq'),
      column('claimed_at'),
      column('pay_by'),
      column('hold_expires_at'),
    ],
  )
}

export async function markRestocked(sql: Sql, events: readonly Restocked[]): Promise<void> {
  await sql.query(
    `update orders set restocked_at = batch.at
     from unnest($1::text[], $2::uuid[], $3::timestamptz[]) as batch (user_id, id, at)
     where orders.user_id = batch.user_id and orders.id = batch.id
       and orders.status = 'FAILED' and orders.restocked_at is null`,
    [
      events.map((event) => event.user_id),
      events.map((event) => event.order_id),
      events.map((event) => new Date(event.timestamp)),
    ],
  )
}

export async function selectOrder(sql: Sql, user: UserId, id: OrderId): Promise<Order | undefined> {
  const found = await sql.query<OrderRow>(`select ${COLUMNS} from orders where user_id = $1 and id = $2`, [
    user,
    id,
  ])
  return found.rows[0] && toOrder(found.rows[0])
}

export async function selectOrderForUpdate(sql: Sql, user: UserId, id: OrderId): Promise<Order | undefined> {
  const found = await sql.query<OrderRow>(
    `select ${COLUMNS} from orders where user_id = $1 and id = $2 for update`,
    [user, id],
  )
  return found.rows[0] && toOrder(found.rows[0])
}

export async function selectOrdersOf(sql: Sql, user: UserId): Promise<Order[]> {
  const found = await sql.query<OrderRow>(
    `select ${COLUMNS} from orders where user_id = $1 order by claimed_at desc, id desc limit 200`,
    [user],
  )
  return found.rows.map(toOrder)
}

/** Unpaid orders whose payment window has closed, by the clock of the database; the oldest first. */
export async function selectOverdue(sql: Sql, max: number): Promise<Order[]> {
  const found = await sql.query<OrderRow>(
    `select ${COLUMNS} from orders where status = 'PENDING' and pay_by <= now() order by pay_by limit $1`,
    [max],
  )
  return found.rows.map(toOrder)
}

/** FAILED without a Restocked event, and not yet due by the clock of the database: the longest held first. */
export async function selectUnreleased(sql: Sql, max: number): Promise<Order[]> {
  const found = await sql.query<OrderRow>(
    `select ${COLUMNS} from orders
     where status = 'FAILED' and restocked_at is null and hold_expires_at > now()
     order by hold_expires_at limit $1`,
    [max],
  )
  return found.rows.map(toOrder)
}

/**
 * The compare-and-set: only the first of all who try gets `true`, and only within the payment window, by the clock of the
 * database: the same one that says which orders are overdue, so at no moment may an order be both paid and timed out.
 */
export async function compareAndPay(sql: Sql, user: UserId, id: OrderId): Promise<boolean> {
  const done = await sql.query(
    `update orders set status = 'PAID', paid_at = now()
     where user_id = $1 and id = $2 and status = 'PENDING' and pay_by > now()`,
    [user, id],
  )
  return done.rowCount === 1
}

export async function compareAndFail(
  sql: Sql,
  user: UserId,
  id: OrderId,
  from: readonly OrderStatus[],
  reason: FailureReason,
): Promise<boolean> {
  const done = await sql.query(
    `update orders set status = 'FAILED', failed_at = now(), failure_reason = $4
     where user_id = $1 and id = $2 and status = any($3)`,
    [user, id, from, reason],
  )
  return done.rowCount === 1
}

/** Units and orders of an item per status on one shard. */
export async function countByStatus(
  sql: Sql,
  item: string,
): Promise<{ status: OrderStatus; orders: number; units: number }[]> {
  const found = await sql.query<{ status: OrderStatus; orders: number; units: number }>(
    `select status, count(*) as orders, sum(quantity) as units from orders where item_id = $1 group by status`,
    [item],
  )
  return found.rows
}

/** Every order of an item on one shard. */
export async function selectOrdersForItem(sql: Sql, item: string): Promise<Order[]> {
  const found = await sql.query<OrderRow>(`select ${COLUMNS} from orders where item_id = $1`, [item])
  return found.rows.map(toOrder)
}

/** PENDING and PAID orders of an item on one shard, the last one to claim first. */
export async function selectLastActive(sql: Sql, item: string, max: number): Promise<Order[]> {
  const found = await sql.query<OrderRow>(
    `select ${COLUMNS} from orders where item_id = $1 and status <> 'FAILED'
     order by claimed_at desc, claim_seq desc, id desc limit $2`,
    [item, max],
  )
  return found.rows.map(toOrder)
}

function toOrder({ id, claimed_at, pay_by, hold_expires_at, ...row }: OrderRow): Order {
  return {
    ...row,
    order_id: id,
    claimed_at: claimed_at.getTime(),
    pay_by: pay_by.getTime(),
    hold_expires_at: hold_expires_at.getTime(),
  }
}
