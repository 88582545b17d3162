import { distanceS, pollDelayS } from '../../src/contracts/poll.ts'
import type { QueueStatus } from '../../src/contracts/shapes.ts'
import { now, sleep } from '../../sim/clock.ts'
import { percentile } from '../../sim/history.ts'
import { randomOf } from '../../sim/random.ts'
import { createWireClient, type WireAnswer, type WireClient } from '../../sim/wire/client.ts'

export interface Crowd {
  /** Where the edge listens on 127.0.0.1, and the waiting room's host there. */
  readonly port: number
  readonly host: string
  readonly sale: string
  readonly waiters: number
  readonly seconds: number
  /** Waiters behind one address, and connections they share. */
  readonly perAddress: number
}

/** What a crowd met with. Times in ms. */
export interface Polls {
  readonly polls: number
  readonly polls_per_second: number
  /** Answers by status, and those that never came. */
  readonly statuses: Readonly<Record<string, number>>
  /** By what the edge says of itself: answered from its cache, or after asking the origin. */
  readonly from_cache: number
  readonly after_asking: number
  readonly ms: Percentiles
  /** How old the news was when it was read, by the server's own clock. */
  readonly age_ms: Percentiles
}
type Percentiles = Readonly<Record<'p50' | 'p99' | 'max', number>>

/**
 * People who wait, one behind the other, in a line that holds them all, and ask as the published policy tells them to. The
 * first polls are spread, as those of people who have waited for a while. Nobody leaves when the turn has come: they go on
 * at the quickest pace, the worst that honest pages do.
 */
export async function waitThroughEdge(crowd: Crowd): Promise<Polls> {
  const clients = Array.from({ length: Math.ceil(crowd.waiters / crowd.perAddress) }, (_, n) =>
    createWireClient({
      ...{ address: '127.0.0.1', port: crowd.port, connections: crowd.perAddress, timeoutMs: 15_000 },
      from: `127.${1 + (n >> 15)}.${(n >> 7) & 255}.${1 + (n & 127)}`,
    }),
  )
  const clientOf = (waiter: number) => clients[Math.floor(waiter / crowd.perAddress)] as WireClient
  const request = { method: 'GET', host: crowd.host, path: `/api/queue/${crowd.sale}` } as const
  const first = statusIn(await clientOf(0).send(request))
  if (first === undefined) throw new Error(`there is no waiting room of ${crowd.sale} at the edge`)

  const answers: WireAnswer[] = []
  const ages: number[] = []
  const until = now() + crowd.seconds * 1000
  const wait = async (waiter: number) => {
    const random = randomOf(1, 'waiter', waiter)
    const standing = { position: waiter + 1 }
    const delayMs = (status: QueueStatus) =>
      pollDelayS(status.poll, distanceS(status, standing), random()) * 1000
    let status = first
    let pauseMs = delayMs(status) * random()
    while (now() + pauseMs < until) {
      await sleep(pauseMs)
      const answer = await clientOf(waiter).send(request)
      answers.push(answer)
      const read = statusIn(answer)
      if (read !== undefined) ages.push(answer.answered - read.server_time)
      status = read ?? status
      pauseMs = delayMs(status)
    }
  }
  await Promise.all(Array.from({ length: crowd.waiters }, (_, waiter) => wait(waiter)))
  for (const client of clients) client.close()
  return report(answers, ages, crowd.seconds)
}

function statusIn(answer: WireAnswer): QueueStatus | undefined {
  if (answer.kind !== 'answer' || answer.status !== 200) return undefined
  return JSON.parse(answer.text) as QueueStatus
}

function report(answers: readonly WireAnswer[], ages: readonly number[], seconds: number): Polls {
  const statuses: Record<string, number> = {}
  let [cached, asked] = [0, 0]
  for (const answer of answers) {
    const name = answer.kind === 'lost' ? answer.reason : String(answer.status)
    statuses[name] = (statuses[name] ?? 0) + 1
    if (answer.kind === 'lost') continue
    const source = answer.headers.get('cache-status') ?? ''
    if (source.includes('hit')) cached++
    else if (source.includes('fwd')) asked++
  }
  return {
    polls: answers.length,
    polls_per_second: Math.round(answers.length / seconds),
    statuses,
    from_cache: cached,
    after_asking: asked,
    ms: percentiles(answers.map(({ wanted, answered }) => answered - wanted)),
    age_ms: percentiles(ages),
  }
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round(percentile(sorted, share) * 10) / 10
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}
