import { emptyHistory, type History } from '../history.ts'
import type { RushOptions } from '../options.ts'
import { startProgress } from '../progress.ts'
import type { SaleInfo, Target } from '../target.ts'
import { createWireClient, type WireClient } from '../wire/client.ts'
import { liveBuyer } from './buyer.ts'
import { type Habits, planBuyer } from './plan.ts'
import type { Scene, Wallet } from './scene.ts'
import { createStatusBoard, type StatusSample } from './status-board.ts'
import { createBotOperator, SOLVES_PER_SECOND } from './bot-operator.ts'

/** Ms between two polls of the public status; one poller stands for an edge node. */
export const POLL_MS = 250
const TIMEOUT_MS = 10_000
const PROVIDER_CONNECTIONS = 32

export type CrowdOptions = Pick<
  RushOptions,
  'buyers' | 'bots' | 'pay' | 'spread' | 'seed' | 'connections'
> & {
  readonly timeout: number
  readonly hashes?: number
  readonly habits?: Partial<Habits>
  /** Does without the bar. */
  readonly silent?: boolean
}

export interface CrowdResult {
  readonly history: History
  readonly statuses: readonly StatusSample[]
  /** Buyers who do not keep the rules. */
  readonly bots: ReadonlySet<number>
  /** What buyers went home with, by order. */
  readonly wallets: ReadonlyMap<string, Wallet>
}

/**
 * `hashes`: difficulty of the sale's proof of work, where it asks for one. Lets all buyers live; ends when the last has left, at `options.timeout`, or when `signal` is
 * aborted.
 */
export async function runCrowd(
  target: Target,
  sale: SaleInfo,
  options: CrowdOptions,
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
  const { hashes } = options
  const proofs = hashes === undefined ? undefined : createBotOperator(hashes * SOLVES_PER_SECOND)
  const wallets = new Map<string, Wallet>()
  const shared = { sale, hosts, web, checkout, provider, board, history, counts, over, proofs, wallets }
  const scene: Scene = { ...shared, pollMs: POLL_MS }
  const progress = options.silent
    ? undefined
    : startProgress(options.buyers, () => ({ done: counts.done, text: describe(scene) }))
  const bell = setInterval(() => {
    stopped ||= !target.stillRuns()
    // Whoever waits for the next status must learn that the run is over.
    if (over()) board.stop()
  }, 250)

  const shape = { ...options, products: sale.products.length }
  const plans = Array.from({ length: options.buyers }, (_, buyer) => planBuyer(shape, buyer))
  await Promise.all(plans.map((plan) => liveBuyer(scene, plan)))
  clearInterval(bell)
  board.stop()
  progress?.stop()
  for (const client of [web, checkout, edge, ...providers.values()]) client.close()
  const bots = new Set(plans.flatMap(({ bot, buyer }) => (bot === undefined ? [] : [buyer])))
  return { history, statuses: board.samples, bots, wallets }
}

function describe({ counts, board }: Scene): string {
  const { joined, admitted, ordered, paid, done } = counts
  const status = board.latest()
  const stock = status ? `; ${status.available} available, ${status.held} held, ${status.sold} sold` : ''
  return `${joined} joined, ${admitted} let in, ${ordered} ordered, ${paid} paid, ${done} done${stock}`
}
