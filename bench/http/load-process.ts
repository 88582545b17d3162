/**
 * The load of the HTTP rows, in a process of its own, so that ours and the yardstick carry the same and neither shares a thread with
 * it. A line of JSON on standard input is an order, a line on standard output its report.
 */
import { createInterface } from 'node:readline'
import { now, sleep } from '../../sim/clock.ts'
import { createWireClient, type WireAnswer, type WireRequest } from '../../sim/wire/client.ts'
import { quantile } from '../rounds.ts'

export interface Run {
  readonly port: number
  /** Which of the requests: so many from this one on, beginning anew after the last. */
  readonly from: number
  readonly count: number
  readonly connections: number
  /** Requests a second, each due at its time whatever became of the others; without it each connection asks when it was answered. */
  readonly rate?: number
  readonly expected: { readonly status: number; readonly contains: string }
}

export type Order = { readonly requests: readonly WireRequest[] } | Run

export interface LoadReport {
  readonly perSecond: number
  /** From the time a request was due (with a rate) or wanted to its answer, 99th percentile. */
  readonly p99Ms: number
  /** Answers that were not the one expected, by status and beginning. */
  readonly wrong: Readonly<Record<string, number>>
}

async function run(requests: readonly WireRequest[], order: Run): Promise<LoadReport> {
  const client = createWireClient({
    ...{ address: '127.0.0.1', port: order.port, connections: order.connections, timeoutMs: 30_000 },
  })
  const took: number[] = []
  const wrong: Record<string, number> = {}
  const send = async (n: number, due?: number) => {
    const answer = await client.send(requests[(order.from + n) % requests.length] as WireRequest)
    took.push(answer.answered - (due ?? answer.wanted))
    if (!isExpected(answer, order.expected)) wrong[nameOf(answer)] = (wrong[nameOf(answer)] ?? 0) + 1
  }
  const started = now()
  await (order.rate === undefined ? closedLoop(order, send) : openLoop(order.count, order.rate, send))
  const perSecond = (order.count / (now() - started)) * 1000
  client.close()
  return { perSecond, p99Ms: quantile(took, 0.99), wrong }
}

async function closedLoop({ count, connections }: Run, send: (n: number) => Promise<void>) {
  let next = 0
  const lane = async () => {
    while (next < count) await send(next++)
  }
  await Promise.all(Array.from({ length: connections }, lane))
}

async function openLoop(count: number, rate: number, send: (n: number, due: number) => Promise<void>) {
  const started = now() + 50
  const sent: Promise<void>[] = []
  while (sent.length < count) {
    const due = () => started + (sent.length * 1000) / rate
    while (sent.length < count && due() <= now()) sent.push(send(sent.length, due()))
    await sleep(1)
  }
  await Promise.all(sent)
}

const isExpected = (answer: WireAnswer, { status, contains }: Run['expected']) =>
  answer.kind === 'answer' && answer.status === status && answer.text.includes(contains)

const nameOf = (answer: WireAnswer) =>
  answer.kind === 'lost' ? `lost (${answer.reason})` : `${answer.status} ${answer.text.slice(0, 120)}`

let requests: readonly WireRequest[] = []
for await (const line of createInterface(process.stdin)) {
  const order = JSON.parse(line) as Order
  if ('requests' in order) requests = order.requests
  else process.stdout.write(`${JSON.stringify(await run(requests, order))}\n`)
}
