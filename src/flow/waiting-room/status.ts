import { secondsFor } from '../../contracts/place.ts'
import type { Sale } from '../catalogue/catalogue.ts'
import type { Line } from './scripts.ts'

/** Units of all items of a sale together. */
export interface SaleStock {
  readonly available: number
  readonly held: number
  readonly sold: number
  readonly total: number
}

export const PHASES = [
  'scheduled',
  'lobby',
  'standby',
  'open',
  'paused',
  'held_out',
  'sold_out',
  'ended',
  'post_sale',
] as const
export type Phase = (typeof PHASES)[number]

/** How often a browser should ask: `min_s` at the front, growing with the distance, never above `max_s`. */
export interface PollPolicy {
  readonly min_s: number
  readonly max_s: number
  /** Seconds to wait per second of expected wait. */
  readonly per_wait_s: number
  /** Proportion by which each wait is varied at random, up and down. */
  readonly jitter: number
}

/** The inputs of the draw; all but the commitment are null until the sale has opened. */
export interface PublicDraw {
  readonly commitment: string
  readonly secret: string | null
  readonly lobby_size: number | null
  readonly tickets_hash: string | null
}

/** How far a line is. */
export interface LineNumbers {
  readonly now_serving: number
  readonly last_position: number
  /** How fast `now_serving` moves; 0: it stands still, and nobody can know for how long. */
  readonly rate_per_second: number
}

/** What everybody sees of a sale; the same bytes for every visitor. Times in ms since the epoch. */
export interface QueueStatus extends SaleStock, LineNumbers {
  readonly phase: Phase
  readonly server_time: number
  readonly lobby_opens_at: number | null
  readonly opens_at: number
  /** The lines of groups, by their ids. */
  readonly lanes: Readonly<Record<string, LineNumbers>>
  readonly message: string
  /** Nothing is sold: it is a copy of a sale to try everything on. */
  readonly rehearsal: boolean
  readonly draw: PublicDraw | null
  readonly poll: PollPolicy
}

const POLL: PollPolicy = { min_s: 1, max_s: 30, per_wait_s: 0.1, jitter: 0.25 }
/** Even under load the end of a sale reaches everybody within a minute. */
const LONGEST_POLL_S = 60

const stretched = ({ min_s, max_s, per_wait_s, jitter }: PollPolicy, by: number): PollPolicy => ({
  min_s: min_s * by,
  max_s: Math.min(LONGEST_POLL_S, max_s * by),
  per_wait_s: per_wait_s * by,
  jitter,
})

/** The phase follows from the operator's hand, the time and the stock; nobody stores it. */
export function phaseOf(
  line: Line,
  stock: SaleStock,
  sale: Pick<Sale, 'lobby_opens_at' | 'post_sale_at'>,
): Phase {
  if (sale.post_sale_at !== null && line.now >= sale.post_sale_at) return 'post_sale'
  if (line.state === 'ended') return 'ended'
  if (stock.total > 0 && stock.available === 0) return stock.held > 0 ? 'held_out' : 'sold_out'
  if (line.state === 'paused') return 'paused'
  if (line.now < line.opens_at)
    return sale.lobby_opens_at !== null && line.now < sale.lobby_opens_at ? 'scheduled' : 'lobby'
  return line.dormant ? 'standby' : 'open'
}

export interface Looked {
  readonly line: Line
  readonly numbers: LineNumbers
  readonly lanes: Readonly<Record<string, LineNumbers>>
  /** By what the time between two polls is multiplied right now, for everybody. */
  readonly stretch: number
}

export function statusOf(
  { line, numbers, lanes, stretch }: Looked,
  stock: SaleStock,
  sale: Sale,
): QueueStatus {
  return {
    phase: phaseOf(line, stock, sale),
    server_time: line.now,
    lobby_opens_at: sale.lobby_opens_at,
    opens_at: line.opens_at,
    ...numbers,
    lanes,
    available: stock.available,
    held: stock.held,
    sold: stock.sold,
    total: stock.total,
    message: sale.message,
    rehearsal: sale.rehearsal,
    draw: sale.draw_commitment === null ? null : publicDraw(line, sale.draw_commitment),
    poll: stretched(POLL, stretch),
  }
}

function publicDraw({ lobby }: Line, commitment: string): PublicDraw {
  return {
    commitment,
    secret: lobby?.secret ?? null,
    lobby_size: lobby?.size ?? null,
    tickets_hash: lobby?.tickets_hash ?? null,
  }
}

/** Seconds until the turn of `position`; null while nobody can know (paused, all held, no room). */
export function estimatedWaitS(status: QueueStatus, position: number): number | null {
  if (status.phase !== 'open' && status.phase !== 'lobby' && status.phase !== 'standby') return null
  const opening = Math.max(0, status.opens_at - status.server_time) / 1000
  const ahead = secondsFor(position - status.now_serving, status.rate_per_second)
  return ahead === null ? null : Math.ceil(opening + ahead)
}
