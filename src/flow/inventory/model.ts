import { isDeepStrictEqual } from 'node:util'
import type { DomainEvent } from '../../contracts/events.ts'
import type {
  ClaimOutcome,
  ClaimRequest,
  DueHold,
  ItemChange,
  ItemState,
  LoadItem,
  RebuildItem,
  Stock,
} from './types.ts'

/** Only tells past from future: the model test keeps `opens_at` and `ends_at` far from it. */
const NOW = 1_700_000_000_000

type ModelOrder = DueHold & { readonly status: 'held' | 'sold' | 'released' }

export interface ModelEvent {
  /** Rises. */
  readonly id: number
  readonly event: DomainEvent
}

/**
 * The inventory of one item in plain TypeScript, written from its description and not from its scripts: one list of
 * orders, from which every number is counted. The model test runs it beside the real one; the simulation runs on it.
 */
export class InventoryModel {
  loaded = false
  run_id = ''
  epoch = 0
  /** The outbox: events that nobody has confirmed. */
  events: ModelEvent[] = []
  orders: ModelOrder[] = []
  private item_id = ''
  private sale_id = ''
  private total = 0
  private state: ItemState = 'open'
  private opens_at = 0
  private ends_at: number | null = null
  private seq = 0
  private written = 0
  /** Sold units that a rebuild named no order for. */
  private unlisted = 0
  private readonly now: () => number

  constructor(now: () => number = () => NOW) {
    this.now = now
  }

  load(item: LoadItem, run_id: string): 'loaded' | 'exists' {
    if (this.loaded) return 'exists'
    this.loaded = true
    this.epoch = 1
    this.describe(item, run_id)
    return 'loaded'
  }

  claim(request: ClaimRequest, run_id: string): ClaimOutcome {
    if (!this.loaded) return { kind: 'unloaded' }
    if (this.isFenced(run_id)) return { kind: 'fenced' }
    const { order_id, user_id, quantity, amount, currency } = request
    const known = this.known(request)
    if (known) {
      const units = known.status === 'released' ? 0 : known.quantity
      return known.status === 'held'
        ? { kind: 'repeated', quantity: units, hold: timesOf(known) }
        : { kind: 'repeated', quantity: units }
    }
    const now = this.now()
    const closed = this.closedAt(now)
    if (closed !== undefined && request.restored !== true) return { kind: closed }
    const mine = this.orders.filter((order) => order.user_id === user_id)
    const active = unitsOf(mine.filter(({ status }) => status !== 'released'))
    if (active + quantity > request.limit) return { kind: 'limit_reached' }
    const { available, held } = this.counts()
    if (available <= 0) return { kind: held > 0 ? 'held_out' : 'sold_out' }
    if (available < quantity) return { kind: 'not_enough_left', available }
    if (this.findClaim(order_id)) return { kind: 'foreign' }
    const order: ModelOrder = {
      ...{ order_id, user_id, quantity, status: 'held', claim_seq: ++this.seq },
      ...{ created_at: now, pay_by: now + request.pay_ms, deadline: now + request.hold_ms },
    }
    this.orders.push(order)
    const { claim_seq, pay_by, deadline: hold_expires_at } = order
    const price = { amount, currency }
    this.write({ type: 'OrderCreated', ...this.base(order), ...price, claim_seq, pay_by, hold_expires_at })
    return { kind: 'reserved', ...timesOf(order) }
  }

  settle(order_id: string): 'settled' | 'gone' | 'unloaded' {
    if (!this.loaded) return 'unloaded'
    return this.move(order_id, 'sold') ? 'settled' : 'gone'
  }

  release(order_id: string): 'released' | 'gone' | 'unloaded' {
    if (!this.loaded) return 'unloaded'
    const order = this.move(order_id, 'released')
    if (order === undefined) return 'gone'
    this.write({ type: 'Restocked', ...this.base(order) })
    return 'released'
  }

  change(change: ItemChange): 'changed' | 'unloaded' {
    if (!this.loaded) return 'unloaded'
    this.state = change.state ?? this.state
    this.opens_at = change.opens_at ?? this.opens_at
    this.ends_at = change.ends_at === undefined ? this.ends_at : change.ends_at
    return 'changed'
  }

  adopt(epoch: number, run_id: string): 'adopted' | 'moved_on' | 'unloaded' {
    if (!this.loaded) return 'unloaded'
    if (epoch !== this.epoch) return 'moved_on'
    this.epoch += 1
    this.run_id = run_id
    return 'adopted'
  }

  fence(epoch: number): 'fenced' | 'moved_on' | 'unloaded' {
    const done = this.adopt(epoch, '')
    return done === 'adopted' ? 'fenced' : done
  }

  lower(units: number): 'lowered' | 'oversold' | 'kept' | 'unloaded' {
    if (!this.loaded) return 'unloaded'
    const { held, sold } = this.counts()
    const fits = units >= held + sold
    const total = fits ? units : held + sold
    if (this.total <= total && (fits || this.run_id === '')) return 'kept'
    this.total = total
    this.epoch += 1
    if (!fits) this.run_id = ''
    return fits ? 'lowered' : 'oversold'
  }

  rebuild(item: RebuildItem): 'rebuilt' | 'does_not_fit' | 'moved_on' {
    const moved =
      item.seen === undefined
        ? this.loaded && (this.epoch !== item.epoch || this.seq > item.seq)
        : !isDeepStrictEqual(this.stock(), item.seen)
    if (moved) return 'moved_on'
    if (item.total - item.sold - unitsOf(item.holds) < 0) return 'does_not_fit'
    const held = new Set(item.holds.map((hold) => `${hold.user_id} ${hold.order_id}`))
    const ended = item.orders.filter(({ user_id, order_id }) => !held.has(`${user_id} ${order_id}`))
    this.orders = [
      ...item.holds.map(({ order_id, user_id, quantity, deadline, claim_seq, created_at, pay_by }) => ({
        ...{ order_id, user_id, quantity, deadline, claim_seq, created_at, pay_by },
        status: 'held' as const,
      })),
      ...ended.map(({ order_id, user_id, quantity }) => ({
        ...{ order_id, user_id, quantity, deadline: 0, claim_seq: 0, created_at: 0, pay_by: 0 },
        status: quantity > 0 ? ('sold' as const) : ('released' as const),
      })),
    ]
    this.loaded = true
    this.seq = item.seq
    this.epoch = Math.max(item.epoch, this.epoch) + 1
    this.unlisted = 0
    this.unlisted = item.sold - this.counts().sold
    this.describe(item, item.fenced === true ? '' : item.run_id)
    return 'rebuilt'
  }

  /** Takes events off the outbox. */
  confirm(ids: readonly number[]): void {
    this.events = this.events.filter(({ id }) => !ids.includes(id))
  }

  /** A dead letter that is replayed: the event again, as a new entry. */
  putBack(event: DomainEvent): void {
    this.write(event)
  }

  /** As the zset of holds orders them. */
  holds(): DueHold[] {
    const held = this.orders.filter(({ status }) => status === 'held')
    return held
      .toSorted((one, other) => one.deadline - other.deadline || (one.order_id < other.order_id ? -1 : 1))
      .map(({ status: _status, ...hold }) => hold)
  }

  findClaim(order_id: string): DueHold | undefined {
    return this.holds().find((hold) => hold.order_id === order_id)
  }

  due(max: number, graceMs = 0): DueHold[] {
    const latest = this.now() - graceMs
    return this.holds()
      .filter(({ deadline }) => deadline <= latest)
      .slice(0, max)
  }

  counts(): Pick<Stock, 'total' | 'available' | 'held' | 'sold' | 'seq'> {
    let held = 0
    let sold = this.unlisted
    for (const { status, quantity } of this.orders)
      if (status === 'held') held += quantity
      else if (status === 'sold') sold += quantity
    return { total: this.total, available: this.total - held - sold, held, sold, seq: this.seq }
  }

  stock(): Stock | undefined {
    if (!this.loaded) return undefined
    const { state, opens_at, ends_at, sale_id, epoch, run_id } = this
    return { ...this.counts(), state, opens_at, ends_at, sale_id, epoch, run_id }
  }

  /** The two checks that the simulation takes away to see that they are missed. */
  protected known({ user_id, order_id }: ClaimRequest): ModelOrder | undefined {
    return this.orders.find((order) => order.user_id === user_id && order.order_id === order_id)
  }
  protected isFenced(run_id: string): boolean {
    return run_id !== this.run_id
  }

  private closedAt(now: number): 'ended' | 'not_open' | 'paused' | undefined {
    if (this.state === 'ended' || (this.ends_at !== null && now >= this.ends_at)) return 'ended'
    if (now < this.opens_at) return 'not_open'
    return this.state === 'paused' ? 'paused' : undefined
  }

  private describe(item: LoadItem, run_id: string): void {
    this.item_id = item.item_id
    this.sale_id = item.sale_id
    this.total = item.total
    this.run_id = run_id
    this.change(item)
  }

  private move(order_id: string, status: 'sold' | 'released'): ModelOrder | undefined {
    const at = this.orders.findIndex((order) => order.order_id === order_id && order.status === 'held')
    const order = this.orders[at]
    if (order !== undefined) this.orders[at] = { ...order, status }
    return order
  }

  private base({ order_id, user_id, quantity }: ModelOrder) {
    const { item_id, sale_id } = this
    return { version: 1, order_id, user_id, item_id, sale_id, quantity, timestamp: this.now() } as const
  }

  private write(event: DomainEvent): void {
    this.events.push({ id: ++this.written, event })
  }
}

const timesOf = ({ claim_seq, created_at, pay_by, deadline }: DueHold) => ({
  ...{ claim_seq, timestamp: created_at, pay_by, hold_expires_at: deadline },
})

const unitsOf = (orders: readonly { quantity: number }[]): number =>
  orders.reduce((total, { quantity }) => total + quantity, 0)
