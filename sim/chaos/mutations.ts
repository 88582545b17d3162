import type { Habits } from '../crowd/plan.ts'
import type { INVARIANTS } from '../audit/invariants.ts'

/** A bug, as an exact replacement of text, and what brings it to light. */
export interface Mutation {
  readonly name: string
  readonly says: string
  readonly edits: readonly Edit[]
  readonly fault: string
  /** What the crowd does more often than usual, so that a small one is enough. */
  readonly habits?: Partial<Habits>
  /** Default: as the command line says. */
  readonly units?: number
  /** The invariants one of which at least must be reported broken. */
  readonly breaks: readonly (typeof INVARIANTS)[number]['name'][]
  readonly needs?: 'full'
}

export interface Edit {
  readonly file: string
  /** Must be there exactly once. */
  readonly from: string
  readonly to: string
}

const FLOW = 'src/flow'
const edit = (file: string, from: string, to: string): Edit => ({ file: `${FLOW}/${file}`, from, to })

/** Known bugs: each has been made by somebody, somewhere. One of a kind each; the order is that of a buyer's path. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'turn-not-checked',
    says: 'whoever asks to enter is let in, whatever the place',
    edits: [edit('waiting-room/enter.lua', 'if tonumber(position) > q.serving then', 'if false then')],
    fault: 'redis-script-flush',
    habits: { impatient: 0.5 },
    breaks: ['order_of_arrival'],
  },
  {
    name: 'pass-used-twice',
    says: 'a used pass is taken for a new one when another key comes with it',
    edits: [
      edit(
        'waiting-room/bind-passes.lua',
        'if known.err or',
        'if known[2] and known[4] ~= idempotency_key then known = { known[1] } end\n  if known.err or',
      ),
    ],
    fault: 'redis-script-flush',
    breaks: ['pass_used_once'],
  },
  {
    name: 'no-duplicate-check',
    says: 'the claim script does not know a request again',
    edits: [edit('inventory/claim.lua', 'if entry_id == order_id then', 'if false then')],
    fault: 'buyers-answers-lost',
    breaks: ['lawful_ends', 'lost_answers_resolve', 'one_claim_one_order'],
  },
  {
    name: 'limit-not-checked',
    says: 'a buyer may have any number of units',
    edits: [edit('inventory/claim.lua', 'active + terms.quantity > terms.limit', 'false')],
    fault: 'redis-script-flush',
    habits: { greedy: 0.5, rush: 0.8 },
    units: 1000,
    breaks: ['buyer_limit'],
  },
  {
    name: 'stock-not-checked',
    says: 'the claim script takes what is not there',
    edits: [
      edit('inventory/claim.lua', 'if item.available <= 0 then', 'if item.available <= -5 then'),
      edit('inventory/claim.lua', 'if item.available < terms.quantity then', 'if false then'),
    ],
    fault: 'redis-script-flush',
    breaks: ['stock_balances', 'never_oversold'],
  },
  {
    name: 'no-fence',
    says: 'a Redis that was restarted sells on before anybody has looked at what it remembers',
    edits: [edit('inventory/claim.lua', "item.run_id ~= run_id and 'fenced'", 'false')],
    fault: 'redis-aof-truncated-unwatched',
    breaks: ['never_oversold', 'one_claim_one_order', 'no_claim_lost', 'restocked_once', 'stock_balances'],
  },
  {
    name: 'outbox-trimmed-early',
    says: 'events are confirmed before SQL has them',
    edits: [
      edit(
        'events/redis-stream-event-log.ts',
        'const deliveries = sorted.flatMap(({ delivery }) => delivery ?? [])',
        'const deliveries = sorted.flatMap(({ delivery }) => delivery ?? [])\n    await acknowledgeAndConfirm(redis.commands, GROUP, entries)',
      ),
    ],
    fault: 'order-worker-kill-mid-write',
    breaks: ['one_claim_one_order', 'no_claim_lost'],
  },
  {
    name: 'offsets-before-sql',
    says: 'the offset is committed, and the outbox trimmed, before SQL has the events',
    edits: [
      edit(
        'events/kafka-event-log.ts',
        'const deliveries = sorted.flatMap(({ delivery }) => delivery ?? [])',
        'const deliveries = sorted.flatMap(({ delivery }) => delivery ?? [])\n    await confirm(redis.commands, deliveries.map(({ outbox_id, event }) => ({ owner: event.item_id, outbox_id })))\n    await consumer.commit(records)',
      ),
    ],
    fault: 'order-worker-kill-mid-write',
    breaks: ['one_claim_one_order', 'no_claim_lost'],
    needs: 'full',
  },
  {
    name: 'compare-and-set-missing',
    says: 'a payment makes any order PAID, a failed one too',
    edits: [
      edit(
        'orders/sql.ts',
        "where user_id = $1 and id = $2 and status = 'PENDING' and pay_by > now()`",
        'where user_id = $1 and id = $2`',
      ),
      edit(
        'orders/sql.ts',
        "update orders set status = 'PAID', paid_at = now()",
        "update orders set status = 'PAID', paid_at = now(), failure_reason = null, restocked_at = null",
      ),
    ],
    fault: 'webhooks-late',
    breaks: ['never_oversold', 'restocked_once', 'no_claim_lost'],
  },
  {
    name: 'capture-before-compare-and-set',
    says: 'money is taken as soon as it is authorised',
    edits: [
      edit(
        'payments/recording.ts',
        'const { type, payment, event_id } = said',
        "const { type, payment, event_id } = said\n    if (type === 'authorised') await providers.get(provider)?.capture(payment.provider_ref, payment.order_id).catch(() => undefined)",
      ),
    ],
    fault: 'webhooks-late',
    breaks: ['money_matches'],
  },
  {
    name: 'authorisation-not-cancelled',
    says: 'the payment of a failed order is left as it is',
    edits: [
      edit(
        'payments/states.ts',
        "return payment === 'started' || payment === 'failed' || payment === 'authorised' ? 'cancel' : 'none'",
        "return 'none'",
      ),
    ],
    fault: 'webhooks-late',
    breaks: ['money_matches'],
  },
  {
    name: 'webhook-not-recorded',
    says: "an event's id is not written down with its effect",
    edits: [
      edit(
        'payments/recording.ts',
        'if (event_id !== undefined && !(await store.insertEvent(sql, user_id, provider, event_id)))',
        'if (event_id === undefined && event_id !== undefined)',
      ),
    ],
    fault: 'webhooks-doubled',
    breaks: ['money_matches'],
  },
  {
    name: 'tombstone-not-written',
    says: 'a hold without a row is released without a row',
    edits: [
      edit(
        'restock/restock.ts',
        '      await bury(item, hold, reason)\n',
        '      return inventory.release(item, hold.order_id)\n',
      ),
    ],
    fault: 'order-worker-stall',
    breaks: [
      'stock_balances',
      'one_claim_one_order',
      'restocked_once',
      'never_oversold',
      'no_claim_lost',
      'all_terminal',
    ],
  },
  {
    name: 'release-without-hold-check',
    says: 'releasing an order gives its unit back each time',
    edits: [
      edit(
        'inventory/release.lua',
        "if not claim or not redis.call('ZSCORE', holds_key, order_id) then return 'gone' end",
        "if not claim then return 'gone' end",
      ),
      edit('inventory/release.lua', "redis.call('HDEL', claims_key, order_id)\n", ''),
    ],
    fault: 'order-worker-freeze',
    breaks: ['stock_balances', 'restocked_once', 'one_claim_one_order'],
  },
  {
    name: 'hold-deadline-ignored',
    says: 'every hold is taken for overdue',
    edits: [edit('inventory/due.lua', "which == 'all' and '+inf' or now_ms() - grace_ms", "'+inf'")],
    fault: 'cleanup-kill',
    breaks: ['holds_on_time'],
  },
  {
    name: 'restock-of-paid',
    says: 'a paid order that was not settled in time gives its unit back',
    edits: [
      edit(
        'restock/restock.ts',
        "if (order?.status === 'PAID') return inventory.settle(item, hold.order_id, hold.user_id)",
        "if (order?.status === 'PAID') return inventory.release(item, hold.order_id, hold.user_id)",
      ),
      edit(
        'payments/closing.ts',
        "if (order.status === 'PAID')\n      await settle(order)",
        "if (order.status === 'PAID' && id < '')\n      await settle(order)",
      ),
    ],
    fault: 'redis-script-flush',
    breaks: ['restocked_once', 'never_oversold'],
  },
]
