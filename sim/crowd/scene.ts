import { sleep } from '../clock.ts'
import type { History } from '../history.ts'
import type { Random } from '../random.ts'
import type { SaleInfo, Target } from '../target.ts'
import type { WireAnswer, WireClient, WireRequest } from '../wire/client.ts'
import type { BotOperator } from './bot-operator.ts'
import type { Guise } from './guise.ts'
import type { StatusBoard } from './status-board.ts'

export type Sender = Pick<WireClient, 'send'>

/** Sends with these headers as well. */
export const dressed = ({ send }: Sender, guise: Guise): Sender => ({
  send: (request) => send({ ...request, headers: { ...guise, ...request.headers } }),
})

/** What every buyer of a crowd shares. */
export interface Scene {
  readonly sale: SaleInfo
  readonly hosts: Target['hosts']
  /** To the web process. */
  readonly web: Sender
  /** To the web process as well, for those who have an order: a browser does not queue behind others. */
  readonly checkout: Sender
  /** To a payment provider's browser API, by its origin. */
  readonly provider: (origin: string) => WireClient
  readonly board: StatusBoard
  readonly pollMs: number
  readonly history: History
  /** What buyers keep of each order they were given. */
  readonly wallets: Map<string, Wallet>
  readonly counts: Counts
  /** Where the sale asks for a proof of work: what the bots among the crowd share. */
  readonly proofs: BotOperator | undefined
  /** True once the run is over: buyers who are still busy give up. */
  readonly over: () => boolean
}

/** What it takes to shop, once one is let in. */
export type Shopping = Pick<Scene, 'hosts' | 'web' | 'provider' | 'over' | 'history'> & {
  readonly wallets: ReadonlyMap<string, Wallet>
}

/** What a browser keeps of an order: who it is, and the word it was given. */
export interface Wallet {
  readonly buyer: number
  readonly cookie: string | undefined
  readonly receipt: string
}

export interface Counts {
  joined: number
  admitted: number
  ordered: number
  paid: number
  /** Buyers whose day has ended. */
  done: number
}

/** A browser: its cookies, and the patience to ask again where an answer tells nothing about the request. */
export interface Browser {
  readonly random: Random
  cookie: string | undefined
}

export type Answered = Extract<WireAnswer, { kind: 'answer' }>

/** The `code` of a problem, `http_<status>` where there is none. */
export function codeOf(answer: Answered): string {
  try {
    const { code } = JSON.parse(answer.text) as { code?: unknown }
    if (typeof code === 'string') return code
  } catch {
    // Not JSON: the status says all there is.
  }
  return `http_${answer.status}`
}

/** Whether a request with this answer should simply be sent again. */
export function isTransient(answer: WireAnswer): boolean {
  if (answer.kind === 'lost') return true
  return answer.status === 429 || answer.status >= 500
}

/** Waits longer each time, up to two seconds, never in step with other buyers. */
export const backOff = (attempt: number, random: Random): Promise<void> =>
  sleep(Math.min(2000, 150 * 2 ** Math.min(attempt, 4)) * (0.5 + random()))

/** What a browser says on a page of the shop. */
export const fromItsPage = (cookie: string | undefined): Record<string, string> =>
  cookie === undefined ? {} : { Cookie: cookie, 'Sec-Fetch-Site': 'same-origin' }

/** A request to the shop with the buyer's session cookie, which the first answer sets. */
export async function sendToShop(
  scene: Shopping,
  browser: Browser,
  request: Omit<WireRequest, 'host'>,
): Promise<WireAnswer> {
  const headers = { ...request.headers, ...fromItsPage(browser.cookie) }
  const answer = await scene.web.send({ ...request, host: scene.hosts.shop, headers })
  if (answer.kind === 'answer') {
    const cookie = /^(__Host-session=[^;]+)/.exec(answer.headers.get('set-cookie') ?? '')?.[1]
    if (cookie !== undefined) browser.cookie = cookie
  }
  return answer
}

/** Sends until an answer says something; undefined once the run is over. */
export async function persist(
  scene: Shopping,
  random: Random,
  send: () => Promise<WireAnswer>,
): Promise<Answered | undefined> {
  for (let attempt = 0; !scene.over(); attempt++) {
    const answer = await send()
    if (answer.kind === 'answer' && !isTransient(answer)) return answer
    await backOff(attempt, random)
  }
  return undefined
}

export const JSON_BODY = { 'Content-Type': 'application/json' } as const
