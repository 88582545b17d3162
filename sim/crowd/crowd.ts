import { emptyHistory, type History } from '../history.ts'
import type { RushOptions } from '../options.ts'
import { startProgress } from '../progress.ts'
import { watchStalls } from '../stall.ts'
import type { SaleInfo, Target } from '../target.ts'
import { createWireClient, type WireClient } from '../wire/client.ts'
import { liveBuyer } from './buyer.ts'
import { planBuyer } from './plan.ts'
import type { Scene } from './scene.ts'
import { createStatusBoard, type StatusSample } from './status-board.ts'

/** Ms between two polls of the public status; one poller stands for an edge node. */
export const POLL_MS = 250
const TIMEOUT_MS = 10_000
const PROVIDER_CONNECTIONS = 32

export interface CrowdResult {
  readonly history: History
  readonly statuses: readonly StatusSample[]
  /** Longest time this process was too busy to act. */
  readonly stallMs: number
}

/** Lets all buyers live; ends when the last has left, at `options.timeout`, or when `signal` is aborted. */
export async function runCrowd(
  target: Target,
  sale: SaleInfo,
  options: RushOptions & { readonly timeout: number },
  signal?: AbortSignal,
): Promise<CrowdResult> {
  const { address, port, hosts } = target
  const wire = (to: number, connections: number) =>
    createWireClient({ address, port: to, connections, timeoutMs: TIMEOUT_MS })
  const web = wire(port, options.connections)
  const checkout = wire(port, options.connections)
  // On a connection of its own: the status is not to wait behind the crowd.
  const edge = wire(port, 1)
  const providers = new Map<string, WireClient>()
  const provider = (origin: string) => {
    const known = providers.get(origin)
    if (known !== undefined) return known
    const client = wire(Number(new URL(origin).port || 80), PROVIDER_CONNECTIONS)
    providers.set(origin, client)
    return client
  }
  const board = createStatusBoard(edge, hosts.queue, sale.id, POLL_MS)
  const history = emptyHistory()
  const counts = { joined: 0, admitted: 0, ordered: 0, paid: 0, done: 0 }
  const deadline = performance.now() + options.timeout * 1000
  let stopped = false
  const over = () => stopped || signal?.aborted === true || performance.now() > deadline
  const scene: Scene = { sale, hosts, web, checkout, provider, board, pollMs: POLL_MS, history, counts, over }
  const progress = startProgress(options.buyers, () => ({ done: counts.done, text: describe(scene) }))
  const stalls = watchStalls()
  const bell = setInterval(() => {
    stopped ||= !target.stillRuns()
    // Whoever waits for the next status must learn that the run is over.
    if (over()) board.stop()
  }, 250)

  const shape = { ...options, products: sale.products.length }
  await Promise.all(
    Array.from({ length: options.buyers }, (_, buyer) => liveBuyer(scene, planBuyer(shape, buyer))),
  )
  clearInterval(bell)
  board.stop()
  progress.stop()
  stalls.stop()
  for (const client of [web, checkout, edge, ...providers.values()]) client.close()
  return { history, statuses: board.samples, stallMs: stalls.longestMs() }
}

function describe({ counts, board }: Scene): string {
  const { joined, admitted, ordered, paid, done } = counts
  const status = board.latest()
  const stock = status ? `; ${status.available} available, ${status.held} held, ${status.sold} sold` : ''
  return `${joined} joined, ${admitted} let in, ${ordered} ordered, ${paid} paid, ${done} done${stock}`
}
