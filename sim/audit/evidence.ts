import type { ItemId, OrderId, SaleId, UserId } from '../../src/contracts/ids.ts'
import type { FailureReason, OrderStatus } from '../../src/contracts/orders.ts'
import type { StatusSample } from '../crowd/status-board.ts'
import type { History } from '../history.ts'

/** Everything the verdict is found from: plain data, so that each check is a function with a test. Times in ms. */
export interface Evidence {
  readonly sale: SaleTerms
  readonly history: History
  /** Buyers who do not keep the rules. */
  readonly bots: ReadonlySet<number>
  /** The public status as the crowd saw it, oldest first. */
  readonly statuses: readonly StatusSample[]
  /** Redis as it was during the run, oldest first; the last one was read at the end. */
  readonly stock: readonly StockSample[]
  /** Every order of the sale, whoever made it, from every shard. */
  readonly orders: readonly OrderRow[]
  /** Entries of the items' buyers hashes at the end: units each order still counts for. */
  readonly active: readonly ActiveEntry[]
  /** The provider's ledger for the orders above and those the crowd was told of; undefined: it has none to read. */
  readonly ledger: readonly LedgerEntry[] | undefined
  /** Events as they were added to the outboxes, all or some of them. */
  readonly events: readonly SeenEvent[]
  /** The event log of the full profile, whole. */
  readonly log: readonly SeenEvent[] | undefined
  /** Webhooks about payments that the provider says were taken in; undefined: it does not tell. */
  readonly webhooks: readonly TakenWebhook[] | undefined
  /** When a part of the system was away on purpose, with the time to come back. */
  readonly outage: { readonly from: number; readonly to: number } | undefined
  /** Answers to claims that must not be possible. */
  readonly probes: readonly Probe[]
  /** Positions let in according to the waiting room's bitmap. */
  readonly entered: number
  /** The fastest its line ever went, turns a second: faster than people are let in, where turns are not taken. */
  readonly peak: number
  readonly limits: Limits
}

export interface SaleTerms {
  readonly id: SaleId
  /** The highest there was: an operator may have changed it. */
  readonly rate_per_second: number
  /** Seconds for which a pass is good. */
  readonly pass_s: number
  readonly items: readonly ItemTerms[]
}
export interface ItemTerms {
  readonly id: ItemId
  readonly units: number
  readonly per_buyer_limit: number
  readonly amount: number
}

/** How far from the ideal the checks let a real system be; the report states them. */
export interface Limits {
  /** A hold may outlive its deadline by this: one sweep, and the restart of a sweeper that was killed. */
  readonly lateMs: number
  /** What is shown may be this old. */
  readonly staleMs: number
  /** Admissions beyond rate * t of the turns themselves. */
  readonly turnBurst: number
}

export interface StockSample {
  readonly asked: number
  readonly answered: number
  /** The Redis server's clock. */
  readonly at: number
  readonly items: readonly ItemSample[]
}
export interface PartSample {
  /** The number of its first claim, and of its latest. */
  readonly first: number
  readonly seq: number
  readonly epoch: number
  readonly fenced: boolean
}
export interface ItemSample {
  readonly id: ItemId
  readonly total: number
  readonly available: number
  readonly held: number
  readonly sold: number
  /** Claims there were: claim_seq of the latest, where the stock is not split. */
  readonly seq: number
  /** What its parts say by themselves, where its stock is split. */
  readonly parts?: readonly PartSample[]
  readonly epoch: number
  /** It was last checked on another Redis process than this one. */
  readonly fenced: boolean
  /** Events SQL has not confirmed. */
  readonly outbox: number
  readonly holds: number
  /** Deadline of the hold that ends first. */
  readonly oldest_deadline: number | undefined
}

export interface OrderRow {
  /** Database it was found in, and the one its buyer belongs to. */
  readonly shard: number
  readonly home_shard: number
  readonly order_id: OrderId
  readonly user_id: UserId
  readonly item_id: ItemId
  readonly quantity: number
  readonly amount: number
  /** What gift cards pay of it. */
  readonly gift_part: number
  readonly status: OrderStatus
  readonly failure_reason: FailureReason | null
  readonly claim_seq: number
  readonly claimed_at: number
  readonly pay_by: number
  readonly hold_expires_at: number
  readonly created_at: number
  readonly paid_at: number | null
  readonly failed_at: number | null
  readonly restocked_at: number | null
}

export interface ActiveEntry {
  readonly item_id: ItemId
  readonly user_id: UserId
  readonly order_id: OrderId
  readonly quantity: number
}

export interface LedgerEntry {
  readonly payment: string
  readonly order_id: OrderId | null
  readonly amount: number
  readonly authorised: number
  readonly released: number
  readonly captured: number
  readonly refunded: number
  readonly captures: number
}

export interface SeenEvent {
  readonly item_id: ItemId
  /** Id of its entry in the item's outbox. */
  readonly outbox_id: string
  readonly type: string
  readonly order_id: OrderId
}

export interface TakenWebhook {
  readonly event_id: string
  readonly order_id: OrderId
  /** Its id is in SQL. */
  readonly recorded: boolean
}

export interface Probe {
  readonly what: string
  readonly expected: string
  readonly answered: string
}

/** What a check found. Nothing examined is nothing proven: such a check does not count as held. */
export type Finding =
  | { readonly kind: 'examined'; readonly count: number; readonly violations: readonly string[] }
  | { readonly kind: 'not_checked'; readonly reason: string }

export interface Check {
  readonly invariant: number
  readonly name: string
  readonly examine: (evidence: Evidence) => Finding
}

export const examined = (count: number, violations: readonly string[]): Finding => ({
  kind: 'examined',
  count,
  violations,
})
export const notChecked = (reason: string): Finding => ({ kind: 'not_checked', reason })

/** Orders the crowd was told of with a 201, by id. */
export function acknowledged({ history }: Pick<Evidence, 'history'>): Map<OrderId, UserId> {
  const orders = new Map<OrderId, UserId>()
  for (const claim of history.claims)
    if (claim.order_id !== undefined) orders.set(claim.order_id, claim.user_id)
  return orders
}

export const last = ({ stock }: Pick<Evidence, 'stock'>): StockSample | undefined => stock.at(-1)
export const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, one) => total + one, 0)
