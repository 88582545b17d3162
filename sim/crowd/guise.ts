import { type Random, randomOf } from '../random.ts'

/** What a request shows of its sender beside its body. */
export type Guise = Readonly<Record<string, string>>

/** How a bot tries to get a place past a guard. */
export type Trick = 'farms' | 'replays' | 'bare'

export interface Bot {
  /** `farms`: its operator's machine solves the proof of work; `replays`: shows what another bot solved; `bare`: none. */
  readonly trick: Trick
}

const AGENT = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)'
const CHROME = {
  'User-Agent': `${AGENT} Chrome/140.0.0.0 Safari/537.36`,
  'Accept-Language': 'en-GB,en;q=0.9',
  'Sec-Fetch-Site': 'same-origin',
  'Sec-Fetch-Mode': 'cors',
  'Sec-Fetch-Dest': 'empty',
}
const HEADLESS = { 'User-Agent': `${AGENT} HeadlessChrome/140.0.0.0 Safari/537.36` }

/** Half of the bots show a headless browser, the others copy an ordinary one's headers. */
const HEADLESS_SHARE = 0.5
const FARM_SHARE = 0.6
const REPLAY_SHARE = 0.2

/** A person's browser, at an address in a network of its own. */
export function honestGuise(buyer: number): Guise {
  const network = [11 + ((buyer >> 16) & 127), (buyer >> 8) & 255, buyer & 255]
  return { ...CHROME, 'X-Forwarded-For': `${network.join('.')}.${1 + (buyer % 254)}` }
}

/** One of an operator's many: all in one IPv4 /24 or one IPv6 /48. */
export function botGuise(bot: number, random: Random, block: 'ipv4' | 'ipv6'): Guise {
  const address =
    block === 'ipv4' ? `203.0.113.${1 + (bot % 254)}` : `2001:db8:b07:${(bot & 0xffff).toString(16)}::1`
  const headers = random() < HEADLESS_SHARE ? HEADLESS : CHROME
  return { ...headers, 'X-Forwarded-For': address }
}

/** Whether the buyer with this number is a bot, and of which kind: by the seed alone. */
export function botOf(
  seed: number,
  buyer: number,
  share: number,
): (Bot & { readonly guise: Guise }) | undefined {
  const random = randomOf(seed, 'bot', buyer)
  if (random() >= share) return undefined
  const luck = random()
  const trick = luck < FARM_SHARE ? 'farms' : luck < FARM_SHARE + REPLAY_SHARE ? 'replays' : 'bare'
  return { trick, guise: botGuise(buyer, random, seed % 2 === 0 ? 'ipv4' : 'ipv6') }
}
