import type { Line } from './scripts.ts'

/** Units of all items of a sale together. */
export interface SaleStock {
  readonly available: number
  readonly held: number
  readonly sold: number
  readonly total: number
}

export type Phase = 'lobby' | 'open' | 'paused' | 'held_out' | 'sold_out' | 'ended'

/** How often a browser should ask: `min_s` at the front, growing with the distance, never above `max_s`. */
export interface PollPolicy {
  readonly min_s: number
  readonly max_s: number
  /** Seconds to wait per second of expected wait. */
  readonly per_wait_s: number
  /** Proportion by which each wait is varied at random, up and down. */
  readonly jitter: number
}

/** What everybody sees of a sale; the same bytes for every visitor. Times in ms since the epoch. */
export interface QueueStatus extends SaleStock {
  readonly phase: Phase
  readonly server_time: number
  readonly opens_at: number
  readonly now_serving: number
  readonly last_position: number
  readonly rate_per_second: number
  readonly message: string
  readonly poll: PollPolicy
}

const POLL: PollPolicy = { min_s: 1, max_s: 30, per_wait_s: 0.1, jitter: 0.25 }

/** The phase follows from the operator's hand, the time and the stock; nobody stores it. */
export function phaseOf(line: Line, stock: SaleStock): Phase {
  if (line.state === 'ended') return 'ended'
  if (stock.total > 0 && stock.available === 0) return stock.held > 0 ? 'held_out' : 'sold_out'
  if (line.state === 'paused') return 'paused'
  return line.now < line.opens_at ? 'lobby' : 'open'
}

export function statusOf(line: Line, stock: SaleStock, message: string): QueueStatus {
  return {
    phase: phaseOf(line, stock),
    server_time: line.now,
    opens_at: line.opens_at,
    now_serving: line.serving,
    last_position: line.tail,
    rate_per_second: line.rate,
    available: stock.available,
    held: stock.held,
    sold: stock.sold,
    total: stock.total,
    message,
    poll: POLL,
  }
}

/** Seconds until the turn of `position`; null while nobody can know (paused, all held). */
export function estimatedWaitS(status: QueueStatus, position: number): number | null {
  if (status.phase !== 'open' && status.phase !== 'lobby') return null
  const opening = Math.max(0, status.opens_at - status.server_time) / 1000
  const ahead = Math.max(0, position - status.now_serving) / status.rate_per_second
  return Math.ceil(opening + ahead)
}
