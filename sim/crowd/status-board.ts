import type { z } from 'zod'
import { QueueStatus } from '../../src/contracts/http.ts'
import type { WireClient } from '../wire/client.ts'

export type Status = z.infer<typeof QueueStatus>

/** One answer of the public status and the span in which it was read (ms since the epoch). */
export interface StatusSample {
  readonly sent: number
  readonly answered: number
  readonly status: Status
}

export const isFinal = (status: Status) => status.phase === 'sold_out' || status.phase === 'ended'

/**
 * The public status, asked for once every `everyMs` for the whole crowd, as an edge node in front of the waiting room
 * would: the answer is public and the same for everyone, so ten million pages cost the origin what one costs.
 */
export interface StatusBoard {
  readonly samples: readonly StatusSample[]
  latest(): Status | undefined
  /** The first status that passes the test, the latest included; undefined once the board has stopped. */
  until(test: (status: Status) => boolean): Promise<Status | undefined>
  /** The same, from the next status on. */
  next(test?: (status: Status) => boolean): Promise<Status | undefined>
  stop(): void
}

interface Waiter {
  readonly test: (status: Status) => boolean
  readonly resolve: (status: Status | undefined) => void
}

export function createStatusBoard(
  client: WireClient,
  host: string,
  sale: string,
  everyMs: number,
): StatusBoard {
  const samples: StatusSample[] = []
  let waiters: Waiter[] = []
  let stopped = false
  let asking = false

  const ask = async () => {
    if (asking || stopped) return
    asking = true
    const answer = await client.send({ method: 'GET', host, path: `/api/queue/${sale}` })
    asking = false
    if (answer.kind !== 'answer' || answer.status !== 200) return
    const status = readStatus(answer.text)
    if (status === undefined) return
    samples.push({ sent: answer.sent, answered: answer.answered, status })
    const due = waiters.filter((waiter) => waiter.test(status))
    if (due.length === 0) return
    const released = new Set(due)
    waiters = waiters.filter((waiter) => !released.has(waiter))
    for (const waiter of due) waiter.resolve(status)
  }
  const timer = setInterval(() => void ask(), everyMs)
  void ask()

  const latest = () => samples.at(-1)?.status
  const next: StatusBoard['next'] = (test = () => true) =>
    stopped ? Promise.resolve(undefined) : new Promise((resolve) => waiters.push({ test, resolve }))
  return {
    samples,
    latest,
    next,
    until: (test) => {
      const status = latest()
      return status !== undefined && !stopped && test(status) ? Promise.resolve(status) : next(test)
    },
    stop: () => {
      stopped = true
      clearInterval(timer)
      for (const waiter of waiters) waiter.resolve(undefined)
      waiters = []
    },
  }
}

/** A page that gets something else for a status goes on with the one it has. */
function readStatus(text: string): Status | undefined {
  try {
    return QueueStatus.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
