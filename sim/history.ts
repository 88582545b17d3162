import type { ItemId, OrderId, UserId } from '../src/contracts/ids.ts'
import type { OrderStatus } from '../src/contracts/orders.ts'

/** What the crowd was answered: the auditor's evidence. All times in ms since the epoch on the simulator's clock. */
interface Exchange {
  readonly buyer: number
  /** When the buyer wanted it, when it was written to a socket, when the answer had arrived. */
  readonly wanted: number
  readonly sent: number
  readonly answered: number
}

export interface JoinExchange extends Exchange {
  /** `joined` with a new place; a problem's code; `lost` where no answer came. */
  readonly outcome: string
  readonly position: number | undefined
}

export interface EnterExchange extends Exchange {
  /** `entered`, a problem's code, or `lost`. */
  readonly outcome: string
  readonly position: number
}

export interface ClaimExchange extends Exchange {
  /** `reserved`, a problem's code, or `lost`. */
  readonly outcome: string
  readonly key: string
  /** Place in line of the pass that was shown. */
  readonly position: number
  readonly item_id: ItemId
  readonly user_id: UserId
  readonly order_id: OrderId | undefined
  /** The answer was thrown away on purpose. */
  readonly hung_up: boolean
}

/** A buyer shows the receipt of an order that the shop no longer knows. */
export interface ReceiptExchange extends Exchange {
  /** `restored`, a problem's code, or `lost`. */
  readonly outcome: string
  readonly order_id: OrderId
}

/** How a buyer's day ended, as the buyer saw it. */
export type Ending =
  | 'paid'
  | 'failed'
  | 'unpaid'
  | 'cancelled'
  | 'sold_out'
  | 'ended'
  | 'turn_lapsed'
  | 'pass_expired'
  | 'refused'
  | 'gave_up'

export interface Fate {
  readonly buyer: number
  readonly ending: Ending
  readonly user_id: UserId | undefined
  readonly order_id: OrderId | undefined
  /** The last final status the buyer was shown. */
  readonly shown: Extract<OrderStatus, 'PAID' | 'FAILED'> | undefined
  /** What refused it, where the ending does not tell. */
  readonly detail: string | undefined
}

export interface History {
  readonly joins: JoinExchange[]
  readonly enters: EnterExchange[]
  readonly claims: ClaimExchange[]
  readonly receipts: ReceiptExchange[]
  readonly fates: Fate[]
}

export const emptyHistory = (): History => ({ joins: [], enters: [], claims: [], receipts: [], fates: [] })

/** Nearest-rank percentile of sorted numbers; 0 where there are none. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
}

export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/**
 * Time to the answer, in ms: from `wanted`, so that what waits for a connection inside the simulator counts too, or
 * from `sent`, which leaves that out.
 */
export function latencyOf(
  exchanges: readonly (Exchange & { readonly outcome: string })[],
  from: 'wanted' | 'sent' = 'wanted',
): Latency {
  const times = exchanges.filter((one) => one.outcome !== 'lost').map((one) => one.answered - one[from])
  times.sort((a, b) => a - b)
  const round = (ms: number) => Math.round(ms * 100) / 100
  return {
    p50: round(percentile(times, 0.5)),
    p99: round(percentile(times, 0.99)),
    max: round(times.at(-1) ?? 0),
  }
}
