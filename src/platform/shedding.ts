import type { Clock } from './clock.ts'

/**
 * What is turned away when there is more to do than can be done in time, first things first (design, section 7). `vital`
 * (payments, webhooks, whatever brings units back), `claims` of those who were let in, and `operator` commands are not on
 * the list: only their own bound holds for them.
 */
export type Kind = Shed | 'claims' | 'operator' | 'vital'
type Shed = 'analytics' | 'poll' | 'browsing' | 'joins' | 'admissions'

const ORDER: readonly Shed[] = ['analytics', 'poll', 'browsing', 'joins', 'admissions']

/** Requests of a kind under way at once; the next one is turned away. What may be kept waiting, and no more. */
const MOST: Readonly<Record<Kind, number>> = {
  analytics: 16,
  operator: 64,
  browsing: 512,
  // One look is shared by all of them.
  poll: 8192,
  joins: 2048,
  admissions: 1024,
  claims: 2048,
  vital: 1024,
}

export interface Shedding {
  /** Takes a request on; undefined where it is to be turned away. Call what it gives when the request is answered. */
  admit(kind: Kind): (() => void) | undefined
  /** By what browsers are to multiply the time between two polls: 1, 2 or 4. */
  stretch(): number
  /** 0: nothing is turned away; 5: everything that may be. Grows while the event loop is late. */
  pressure(): number
  /** Measures how late the event loop is until the signal is aborted. */
  watch(clock: Pick<Clock, 'sleep'>, signal: AbortSignal): Promise<void>
  /** The event loop was so late, after so much time. */
  measured(lateMs: number, elapsedMs: number): void
}

export interface SheddingOptions {
  /** False: everything is taken on, up to the bound of its kind. */
  readonly on?: boolean
  /** In [0, 1). */
  readonly random?: () => number
  /** Of a monotonic clock, in milliseconds. */
  readonly now?: () => number
  readonly onShed?: (kind: Kind) => void
}

/** The event loop is measured so often. */
const TICK_MS = 50
/** What is late by less, on average, is on time: a payment waits for a few turns of the loop. */
const LATE_MS = 100
/** Over about so long the lateness is averaged: one long turn is no overload. */
const MEMORY_MS = 400
/** Pressure per second: up with the overload, down at most so much; a bit slower than clients come back. */
const [RISE, FASTEST, FALL] = [2, 6, 1] as const

/**
 * Sheds no more than it takes: the pressure goes up while the event loop is late and down while it is not, and a kind is
 * turned away by the share that the pressure has got into its step of the order.
 */
export function createShedding(options: SheddingOptions = {}): Shedding {
  const { on = true, random = Math.random, now = () => performance.now(), onShed = () => undefined } = options
  const underWay = new Map<Kind, number>()
  let late = 0
  let pressure = 0

  const shareOf = (kind: Kind): number => {
    // Polls are asked to come more seldom; the answer everybody shares costs less than a refusal of each.
    const step = kind === 'poll' ? -1 : ORDER.indexOf(kind as Shed)
    return step < 0 ? 0 : Math.min(1, Math.max(0, pressure - step))
  }
  const measured = (lateMs: number, elapsedMs: number) => {
    late += (lateMs - late) * Math.min(1, elapsedMs / MEMORY_MS)
    const rate = Math.max(-FALL, Math.min(FASTEST, RISE * (late / LATE_MS - 1)))
    pressure = on ? Math.min(ORDER.length, Math.max(0, pressure + (rate * elapsedMs) / 1000)) : 0
  }

  return {
    admit: (kind) => {
      const count = underWay.get(kind) ?? 0
      const share = shareOf(kind)
      if (count >= MOST[kind] || (share > 0 && random() < share)) {
        onShed(kind)
        return undefined
      }
      underWay.set(kind, count + 1)
      return () => void underWay.set(kind, (underWay.get(kind) ?? 1) - 1)
    },
    stretch: () => (pressure < 1 ? 1 : pressure < 2 ? 2 : 4),
    pressure: () => pressure,
    measured,
    watch: async (clock, signal) => {
      for (let before = now(); !signal.aborted;) {
        await clock.sleep(TICK_MS, signal)
        const elapsed = now() - before
        before += elapsed
        measured(Math.max(0, elapsed - TICK_MS), elapsed)
      }
    },
  }
}
