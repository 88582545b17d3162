import type { ClaimOutcome, ClaimRequest, ItemChange, ItemState, LoadItem, Stock } from './types.ts'

/** Only tells past from future: tests keep `opens_at` and `ends_at` far from it. */
const NOW = 1_700_000_000_000

/** A hold in the model. Whether it is due is told from `hold_ms`: the tests use 0 and very long ones. */
export interface ModelHold {
  readonly order_id: string
  readonly user_id: string
  readonly quantity: number
  readonly claim_seq: number
  readonly hold_ms: number
}

/** An event as the model knows it: without the times, which are the server's. */
export interface ModelEvent {
  readonly type: 'OrderCreated' | 'Restocked'
  readonly order_id: string
  readonly user_id: string
  readonly quantity: number
  readonly amount?: number
  readonly claim_seq?: number
}

/** What an outcome says beside the times. */
export interface ModelOutcome {
  readonly kind: ClaimOutcome['kind']
  readonly claim_seq?: number
  readonly quantity?: number
  readonly available?: number
}

/**
 * The inventory of one item in plain TypeScript, written from its description and not from its scripts: one
 * list of orders, from which every number is counted. The model test runs it beside the real one.
 */
export class InventoryModel {
  loaded = false
  fenced = false
  epoch = 0
  readonly events: ModelEvent[] = []
  private total = 0
  private state: ItemState = 'open'
  private opens_at = 0
  private ends_at: number | null = null
  private seq = 0
  private readonly orders: (ModelHold & { status: 'held' | 'sold' | 'released' })[] = []

  load(item: LoadItem): 'loaded' | 'exists' {
    if (this.loaded) return 'exists'
    this.loaded = true
    this.epoch = 1
    this.total = item.total
    this.change(item)
    return 'loaded'
  }

  claim(request: ClaimRequest): ModelOutcome {
    if (!this.loaded) return { kind: 'unloaded' }
    if (this.fenced) return { kind: 'fenced' }
    const { order_id, user_id, quantity, amount, hold_ms } = request
    const mine = this.orders.filter((order) => order.user_id === user_id)
    const known = mine.find((order) => order.order_id === order_id)
    if (known) {
      const claim_seq = known.status === 'held' ? { claim_seq: known.claim_seq } : {}
      return { kind: 'repeated', quantity: known.status === 'released' ? 0 : known.quantity, ...claim_seq }
    }
    if (this.state === 'ended' || (this.ends_at !== null && NOW >= this.ends_at)) return { kind: 'ended' }
    if (NOW < this.opens_at) return { kind: 'not_open' }
    if (this.state === 'paused') return { kind: 'paused' }
    const active = sum(mine.filter(({ status }) => status !== 'released'))
    if (active + quantity > request.limit) return { kind: 'limit_reached' }
    const { available, held } = this.counts()
    if (available === 0) return { kind: held > 0 ? 'held_out' : 'sold_out' }
    if (available < quantity) return { kind: 'not_enough_left', available }
    if (this.holds().some((hold) => hold.order_id === order_id)) return { kind: 'foreign' }
    const claim_seq = ++this.seq
    this.orders.push({ order_id, user_id, quantity, claim_seq, hold_ms, status: 'held' })
    this.events.push({ type: 'OrderCreated', order_id, user_id, quantity, amount, claim_seq })
    return { kind: 'reserved', claim_seq }
  }

  settle(order_id: string): 'settled' | 'gone' | 'unloaded' {
    const order = this.heldOrder(order_id)
    if (!order) return this.loaded ? 'gone' : 'unloaded'
    order.status = 'sold'
    return 'settled'
  }

  release(order_id: string): 'released' | 'gone' | 'unloaded' {
    const order = this.heldOrder(order_id)
    if (!order) return this.loaded ? 'gone' : 'unloaded'
    order.status = 'released'
    const { user_id, quantity } = order
    this.events.push({ type: 'Restocked', order_id, user_id, quantity })
    return 'released'
  }

  change(change: ItemChange): 'changed' | 'unloaded' {
    if (!this.loaded) return 'unloaded'
    this.state = change.state ?? this.state
    this.opens_at = change.opens_at ?? this.opens_at
    this.ends_at = change.ends_at === undefined ? this.ends_at : change.ends_at
    return 'changed'
  }

  adopt(epoch: number): 'adopted' | 'moved_on' | 'unloaded' {
    if (!this.loaded) return 'unloaded'
    if (epoch !== this.epoch) return 'moved_on'
    this.epoch++
    this.fenced = false
    return 'adopted'
  }

  holds(): ModelHold[] {
    const held = this.orders.filter(({ status }) => status === 'held')
    return held.map(({ order_id, user_id, quantity, claim_seq, hold_ms }) => ({
      ...{ order_id, user_id, quantity, claim_seq, hold_ms },
    }))
  }

  /** Orders without a hold, as reconciliation knows them from SQL. */
  ended(): { order_id: string; user_id: string; quantity: number }[] {
    return this.orders
      .filter(({ status }) => status !== 'held')
      .map(({ order_id, user_id, quantity, status }) => ({
        ...{ order_id, user_id },
        quantity: status === 'sold' ? quantity : 0,
      }))
  }

  counts(): Pick<Stock, 'total' | 'available' | 'held' | 'sold' | 'seq'> {
    const held = sum(this.holds())
    const sold = sum(this.orders.filter(({ status }) => status === 'sold'))
    return { total: this.total, available: this.total - held - sold, held, sold, seq: this.seq }
  }

  private heldOrder(order_id: string) {
    return this.orders.find((order) => order.order_id === order_id && order.status === 'held')
  }
}

const sum = (orders: readonly { quantity: number }[]): number =>
  orders.reduce((total, { quantity }) => total + quantity, 0)
