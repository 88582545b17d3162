import { parseEntry } from '../../src/flow/events/events.ts'
import { outboxKey } from '../../src/flow/inventory/inventory.ts'
import type { Behaviour, CheckoutPlan } from './behaviour.ts'
import { HEADER_BYTES, STEP_MS } from './line.ts'
import type { Broken, Second } from './measures.ts'
import { ITEM, SALE, type System } from './system.ts'

/** Seconds between two tries of somebody who is told that all is held right now. */
const TRIES_S = { least: 3, more: 4 }
/** Answers of a claim, a payment and their pages. */
export const ANSWER_BYTES = 600

interface Person {
  readonly visitor: number
  readonly user: string
  readonly pass: string
  readonly place: number
  readonly plan: CheckoutPlan
  readonly order: string
}
interface Order {
  readonly user: string
  readonly pay_by: number
  status: 'PENDING' | 'PAID' | 'FAILED'
}
type Task = 'claims' | 'pays' | 'cancels'

export interface CheckoutParts {
  readonly system: System
  readonly behaviour: Behaviour
  readonly broken: Broken
}

/**
 * Everybody from the admission to the end of their order. Orders are kept here as SQL would keep them: written from the
 * outbox, paid by a compare-and-set, failed before their hold is released.
 */
export function createCheckout({ system, behaviour, broken }: CheckoutParts) {
  const { claiming, inventory, commands, clock } = system
  const agenda = new Map<number, [Task, Person][]>()
  const orders = new Map<string, Order>()
  const active = new Map<string, number>()
  const reserved = new Set<string>()
  const outcomes: Record<string, number> = {}
  let [busy, sequence, pending] = [0, 0, 0]

  const count = (what: string) => void (outcomes[what] = (outcomes[what] ?? 0) + 1)
  const plan = (task: Task, person: Person, step: number, ms: number) => {
    const at = step + Math.max(1, Math.round(ms / STEP_MS))
    const tasks = agenda.get(at) ?? []
    agenda.set(at, tasks)
    tasks.push([task, person])
    busy += 1
  }

  const claim = async (person: Person, step: number, second: Second) => {
    const { visitor, user, pass, order } = person
    second.origin += 1
    second.bytes += ANSWER_BYTES + HEADER_BYTES
    const outcome = await claiming.claim({
      ...{ claimant: async () => ({ order_id: order, user_id: user }), item_id: ITEM, quantity: 1, pass },
      ...{ visitor: { device: `device-${visitor}`, network: '' }, idempotency_key: order },
    })
    count(outcome.kind)
    if (outcome.kind === 'claimed') {
      reserved.add(outcome.order_id)
      const { then, payMs } = person.plan
      if (then === 'pays' || then === 'cancels') plan(then, person, step, payMs)
    } else if (outcome.kind === 'held_out' || outcome.kind === 'not_enough_left') {
      const seconds = TRIES_S.least + TRIES_S.more * behaviour.jitter(visitor, step)
      plan('claims', person, step, 1000 * seconds)
    }
    // Who is told no looks no further, and makes room.
    else await system.waitingRoom.leaveCheckout({ sale: SALE, lane: '', position: person.place })
  }

  /** As the order worker: one row for each event, in the order of the claims. */
  const writeOrders = async () => {
    const key = outboxKey(ITEM)
    const entries = await commands.xrange(key, '-', '+')
    for (const [, fields] of entries) {
      const event = parseEntry(fields)
      if (event?.type !== 'OrderCreated') continue
      const { order_id: id, user_id: user, claim_seq, pay_by } = event
      sequence += 1
      broken.expect(claim_seq === sequence, 'orders', () => `claim ${sequence} is missing`)
      broken.expect(!orders.has(id), 'orders', () => `order ${id} came twice`)
      orders.set(id, { user, pay_by, status: 'PENDING' })
      pending += 1
      const held = (active.get(user) ?? 0) + 1
      active.set(user, held)
      broken.expect(held <= 1, 'limit', () => `${user} has ${held} orders`)
    }
    if (entries.length > 0) await commands.xdel(key, ...entries.map(([id]) => id))
  }

  const end = (order: Order, status: 'PAID' | 'FAILED') => {
    order.status = status
    pending -= 1
    count(status)
    if (status === 'FAILED') active.set(order.user, (active.get(order.user) ?? 1) - 1)
  }

  const settle = async (task: Task, { order: id }: Person, second: Second) => {
    second.origin += 2
    second.bytes += 2 * (ANSWER_BYTES + HEADER_BYTES)
    const order = orders.get(id)
    if (order === undefined) return broken.add('orders', `claim ${id} has no order`)
    if (order.status !== 'PENDING') return count('too late')
    if (task === 'pays' && clock.now() >= order.pay_by) return count('too late')
    end(order, task === 'pays' ? 'PAID' : 'FAILED')
    const done = task === 'pays' ? await inventory.settle(ITEM, id) : await inventory.release(ITEM, id)
    broken.expect(done !== 'gone', 'orders', () => `the hold of ${id} was gone when it ended`)
  }

  return {
    outcomes,
    /** Nobody is in checkout, and every order has ended. */
    get over() {
      return busy === 0 && pending === 0
    },
    /** What was paid, by account. */
    buyers: () => [...orders.values()].flatMap(({ status, user }) => (status === 'PAID' ? [user] : [])),
    admit: (visitor: number, pass: string, place: number, step: number) => {
      const intent = behaviour.checkout(visitor)
      if (intent.then === 'abandons') return count('abandoned')
      const person = { visitor, pass, place, plan: intent, user: behaviour.account(visitor) }
      plan('claims', { ...person, order: `order-${visitor}` }, step, intent.claimMs)
    },
    step: async (step: number, second: Second) => {
      const due = agenda.get(step) ?? []
      agenda.delete(step)
      busy -= due.length
      const claims = due.filter(([task]) => task === 'claims')
      await Promise.all(claims.map(([, person]) => claim(person, step, second)))
      if (claims.length > 0) await writeOrders()
      for (const [task, person] of due) if (task !== 'claims') await settle(task, person, second)
    },
    /** As cleanup: holds whose time is over, first in the orders, then in Redis. Once a second. */
    lapse: async () => {
      await writeOrders()
      for (const { order_id } of await inventory.due(ITEM, 1000)) {
        const order = orders.get(order_id)
        broken.expect(
          order?.status === 'PENDING',
          'orders',
          () => `${order_id}, ${order?.status}, is still held`,
        )
        if (order?.status === 'PENDING') end(order, 'FAILED')
        await inventory.release(ITEM, order_id)
      }
    },
    judge: async () => {
      await writeOrders()
      for (const id of reserved) broken.expect(orders.has(id), 'orders', () => `claim ${id} has no order`)
      const stock = await inventory.stock(ITEM)
      const paid = outcomes['PAID'] ?? 0
      broken.expect(stock?.sold === paid, 'orders', () => `${paid} are paid, Redis has sold ${stock?.sold}`)
      broken.expect(stock?.held === 0, 'orders', () => `${stock?.held} are held after the end`)
      for (const [id, { status }] of orders)
        broken.expect(status !== 'PENDING', 'orders', () => `order ${id} never ended`)
    },
  }
}
