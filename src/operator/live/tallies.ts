import type { LiveSample } from '../../contracts/live-http.ts'
import type { ItemId, SaleId } from '../../contracts/ids.ts'
import type { EventLog } from '../../flow/events/events.ts'
import { countBySale, type OrderCount } from '../../flow/orders/orders.ts'
import { countPaymentsBySale, type PaymentCount } from '../../flow/payments/payments.ts'
import type { Clock } from '../../platform/clock.ts'
import type { AtShard, Shards } from '../../platform/postgres.ts'

/** What costs more than a look is looked at so often, and takes at most a twentieth of the time. */
const EVERY_MS = 2000
const SHARE = 20
/** Longer no database works for it; there is the next time. */
const DEADLINE_MS = 2000
/** More dead letters than that are not told apart. */
const MOST_LETTERS = 10_000

/** The answer to a question that is asked often and worked out seldom. */
interface Paced<Question, Answer> {
  /** Works it out where it is time to, and nobody is at it; never waits, never throws. */
  ask(question: Question): void
  last(): { readonly at: number; readonly answer: Answer } | undefined
}

export function createPaced<Question, Answer>(
  clock: Clock,
  work: (question: Question) => Promise<Answer>,
  onError: (error: unknown) => void = () => undefined,
): Paced<Question, Answer> {
  let last: { at: number; answer: Answer } | undefined
  let working = false
  let next = 0
  const answer = async (question: Question) => {
    const began = clock.now()
    try {
      last = { answer: await work(question), at: began }
    } catch (error) {
      onError(error)
    }
    next = clock.now() + Math.max(EVERY_MS, SHARE * (clock.now() - began))
    working = false
  }
  return {
    ask: (question) => {
      if (working || clock.now() < next) return
      working = true
      void answer(question)
    },
    last: () => last,
  }
}

type Counted = Pick<LiveSample, 'orders' | 'payments' | 'counted_at'>

export interface Tallies {
  ask(sales: readonly SaleId[]): void
  /** undefined until every shard has been counted. */
  counted(sale: SaleId): Counted | undefined
  eventLog(items: ReadonlySet<ItemId>): LiveSample['event_log']
}

export interface TallyParts {
  readonly shards: Pick<Shards, 'all' | 'survey'>
  readonly eventLog: Pick<EventLog, 'inspect' | 'deadLetters'>
  readonly clock: Clock
  readonly onError?: (error: unknown) => void
}

/** What SQL and the event log have to say. A shard that is away keeps its last answer. */
export function createTallies({ shards, eventLog, clock, onError }: TallyParts): Tallies {
  const perShard: ({ at: number; orders: OrderCount[]; payments: PaymentCount[] } | undefined)[] =
    shards.all.map(() => undefined)
  const shardsCounted = createPaced(
    clock,
    async (sales: readonly SaleId[]) => {
      const at = clock.now()
      const count = async ({ sql }: AtShard) => ({
        orders: await countBySale(sql, sales),
        payments: await countPaymentsBySale(sql, sales),
      })
      const answers = await shards.survey(count, DEADLINE_MS)
      for (const [shard, one] of answers.entries())
        if (one.status === 'fulfilled') perShard[shard] = { at, ...one.value }
        else onError?.(one.reason)
    },
    onError,
  )
  const backlog = createPaced(clock, () => eventLog.inspect(), onError)
  const letters = createPaced(clock, () => eventLog.deadLetters(MOST_LETTERS), onError)

  return {
    ask: (sales) => {
      shardsCounted.ask(sales)
      backlog.ask(undefined)
      letters.ask(undefined)
    },
    counted: (sale) => {
      const found = perShard.filter((one) => one !== undefined)
      if (found.length < perShard.length) return undefined
      const ofSale = <Row extends { sale_id: SaleId }>(rows: readonly Row[]) =>
        rows.filter(({ sale_id }) => sale_id === sale)
      return {
        orders: sumOrders(found.flatMap(({ orders }) => ofSale(orders))),
        payments: sumPayments(found.flatMap(({ payments }) => ofSale(payments))),
        counted_at: Math.min(...found.map(({ at }) => at)),
      }
    },
    eventLog: (items) => {
      const waiting = (backlog.last()?.answer.items ?? []).filter(({ item_id }) => items.has(item_id))
      const dead = (letters.last()?.answer ?? []).filter(({ item_id }) => items.has(item_id))
      return {
        waiting: waiting.reduce((sum, { outbox }) => sum + outbox, 0),
        oldest_s: Math.max(0, ...waiting.map(({ oldest_s }) => oldest_s ?? 0)),
        dead_letters: dead.length,
      }
    },
  }
}

function sumOrders(rows: readonly OrderCount[]): LiveSample['orders'] {
  const sum: LiveSample['orders'] = { PENDING: 0, PAID: 0, FAILED: 0, failures: {} }
  for (const { status, failure_reason, orders } of rows) {
    sum[status] += orders
    if (failure_reason !== null) sum.failures[failure_reason] = (sum.failures[failure_reason] ?? 0) + orders
  }
  return sum
}

function sumPayments(rows: readonly PaymentCount[]): LiveSample['payments'] {
  const sum: LiveSample['payments'] = {}
  for (const { state, payments } of rows) sum[state] = (sum[state] ?? 0) + payments
  return sum
}
