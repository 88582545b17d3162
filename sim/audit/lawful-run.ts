import type { ClaimExchange, EnterExchange, Fate, JoinExchange } from '../history.ts'
import type {
  ActiveEntry,
  Evidence,
  ItemSample,
  LedgerEntry,
  OrderRow,
  SeenEvent,
  StockSample,
} from './evidence.ts'

/**
 * Test support: a small run in which everything is as it should be. Two units; buyers 1 and 3 pay, buyer 2 lets the
 * hold run out, buyer 4 is told "sold out". Tests plant one violation each. Times in ms.
 */
export const ITEM = 'lamp'
const span = (sent: number) => ({ wanted: sent, sent, answered: sent + 5 })

export const join = (buyer: number, sent: number, position = buyer): JoinExchange => ({
  ...span(sent),
  ...{ buyer, position, outcome: 'joined' },
})

export const enter = (buyer: number, sent: number, outcome = 'entered'): EnterExchange => ({
  ...span(sent),
  ...{ buyer, outcome, position: buyer },
})

export const claim = (buyer: number, sent: number, change: Partial<ClaimExchange> = {}): ClaimExchange => ({
  ...span(sent),
  ...{ buyer, outcome: 'reserved', key: `key-${buyer}`, position: buyer, item_id: ITEM },
  ...{ user_id: `user-${buyer}`, order_id: `order-${buyer}`, hung_up: false },
  ...change,
})

export const fate = (buyer: number, change: Partial<Fate> = {}): Fate => ({
  ...{ buyer, ending: 'paid', user_id: `user-${buyer}`, order_id: `order-${buyer}`, shown: 'PAID' },
  detail: undefined,
  ...change,
})

export const order = (buyer: number, claimed_at: number, change: Partial<OrderRow> = {}): OrderRow => ({
  ...{ shard: buyer % 2, home_shard: buyer % 2, order_id: `order-${buyer}`, user_id: `user-${buyer}` },
  ...{
    item_id: ITEM,
    quantity: 1,
    amount: 500,
    gift_part: 0,
    status: 'PAID',
    failure_reason: null,
    claim_seq: buyer,
  },
  ...{ claimed_at, pay_by: claimed_at + 3000, hold_expires_at: claimed_at + 6000 },
  ...{ created_at: claimed_at + 50, paid_at: claimed_at + 500, failed_at: null, restocked_at: null },
  ...change,
})

export const active = (buyer: number, quantity: number): ActiveEntry => ({
  ...{ item_id: ITEM, user_id: `user-${buyer}`, order_id: `order-${buyer}`, quantity },
})

export const payment = (buyer: number, change: Partial<LedgerEntry> = {}): LedgerEntry => ({
  ...{ payment: `pi_${buyer}`, order_id: `order-${buyer}`, amount: 500, captured: 500, refunded: 0 },
  ...{ captures: 1, authorised: 500, released: 0 },
  ...change,
})

export const event = (buyer: number, type: string, outbox_id = `${buyer}-${type.length}`): SeenEvent => ({
  ...{ item_id: ITEM, outbox_id, type, order_id: `order-${buyer}` },
})

export const stock = (
  at: number,
  [available, held, sold]: Units,
  change: Partial<ItemSample> = {},
): StockSample => ({
  ...{ asked: at, answered: at + 1, at },
  items: [
    {
      ...{
        id: ITEM,
        total: 2,
        available,
        held,
        sold,
        seq: 3,
        epoch: 1,
        outbox: 0,
        holds: held,
        fenced: false,
      },
      oldest_deadline: undefined,
      ...change,
    },
  ],
})
export type Units = readonly [available: number, held: number, sold: number]

export const shown = (
  at: number,
  serving: number,
  phase: 'open' | 'held_out' | 'sold_out',
  units: Units,
) => ({
  ...{ sent: at, answered: at + 5 },
  status: {
    ...{ phase, server_time: at, opens_at: 0, now_serving: serving, last_position: 4, rate_per_second: 10 },
    lanes: {},
    ...{ available: units[0], held: units[1], sold: units[2], total: 2, message: '' },
    ...{ lobby_opens_at: null, draw: null, rehearsal: false },
    poll: { min_s: 1, max_s: 30, per_wait_s: 0.1, jitter: 0.25 },
  },
})

export function lawfulRun(): Evidence {
  return {
    sale: {
      id: 's',
      rate_per_second: 10,
      pass_s: 60,
      items: [{ id: ITEM, units: 2, per_buyer_limit: 1, amount: 500 }],
    },
    bots: new Set(),
    history: {
      joins: [join(1, 1000), join(2, 1100), join(3, 1200), join(4, 1300)],
      enters: [enter(1, 1200), enter(3, 1240, 'too_early'), enter(2, 1300), enter(3, 1400), enter(4, 1500)],
      claims: [
        claim(1, 1300, { outcome: 'lost', order_id: undefined, hung_up: true }),
        claim(1, 1350),
        claim(2, 1400),
        claim(3, 1500, { outcome: 'held_out', key: 'key-3-1', order_id: undefined }),
        claim(3, 4700),
        claim(4, 6000, { outcome: 'sold_out', order_id: undefined }),
      ],
      receipts: [],
      fates: [
        fate(1),
        fate(2, { ending: 'unpaid', shown: undefined }),
        fate(3),
        fate(4, { ending: 'sold_out', order_id: undefined, shown: undefined }),
      ],
    },
    statuses: [
      shown(1150, 1, 'open', [2, 0, 0]),
      shown(1450, 4, 'held_out', [0, 2, 0]),
      shown(5800, 4, 'sold_out', [0, 0, 2]),
    ],
    stock: [
      stock(1000, [2, 0, 0]),
      stock(1600, [0, 2, 0], { oldest_deadline: 7350 }),
      stock(4600, [1, 0, 1]),
      stock(4800, [0, 1, 1]),
      stock(5700, [0, 0, 2]),
      stock(5990, [0, 0, 2]),
      stock(9000, [0, 0, 2]),
    ],
    orders: [
      order(1, 1350),
      order(2, 1400, {
        ...{ status: 'FAILED', failure_reason: 'payment_timeout', paid_at: null },
        ...{ failed_at: 4500, restocked_at: 4510 },
      }),
      order(3, 4700),
    ],
    active: [active(1, 1), active(2, 0), active(3, 1)],
    ledger: [payment(1), payment(2, { captured: 0, captures: 0, released: 500 }), payment(3)],
    events: [
      event(1, 'OrderCreated'),
      event(2, 'OrderCreated'),
      event(2, 'Restocked'),
      event(3, 'OrderCreated'),
    ],
    log: [1, 2, 3].map((buyer) => event(buyer, 'OrderCreated')).concat(event(2, 'Restocked')),
    webhooks: [{ event_id: 'evt_1', order_id: 'order-1', recorded: true }],
    outage: undefined,
    probes: [{ what: 'a claim without a pass', expected: 'pass_missing', answered: 'pass_missing' }],
    entered: 4,
    peak: 10,
    limits: { lateMs: 5500, staleMs: 1000, turnBurst: 2 },
  }
}
