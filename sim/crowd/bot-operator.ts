import type { Challenge } from '../../src/contracts/guard.ts'
import { solve } from '../../web/waiting-room/solve.ts'
import { now, sleep } from '../clock.ts'

/** A challenge and its solution, as a join carries them. */
export interface Proven {
  readonly challenge: Challenge
  readonly solution: { readonly counter: number; readonly derivedKey: string }
}

export interface SharedTicket {
  readonly ticket: string
  readonly position: number
}

/** What all bots of a crowd share: one machine that solves for them, what it solved, and the tickets they got. */
export interface BotOperator {
  /** Takes its turn on the machine; undefined where it is `over` first. */
  solve(challenge: Challenge, over: () => boolean): Promise<Proven | undefined>
  /** Something that was solved for another bot. */
  used(): Proven | undefined
  share(ticket: SharedTicket): void
  /** A ticket that another bot got. */
  ticket(): SharedTicket | undefined
}

/** Expected work that the operator's machine does a second, in challenges of the sale's plain difficulty. */
export const SOLVES_PER_SECOND = 100

/**
 * The simulator shares its processors with the system it judges, so the operator's machine is a budget of hashes a second;
 * a harder challenge takes as much more of it. Within the budget the work is really done.
 */
export function createBotOperator(hashesPerSecond: number): BotOperator {
  let free = 0
  let last: Proven | undefined
  const tickets: SharedTicket[] = []
  return {
    solve: async (challenge, over) => {
      const { hashes } = challenge.parameters.data
      free = Math.max(now(), free) + (hashes / hashesPerSecond) * 1000
      const done = free
      while (now() < done && !over()) await sleep(Math.min(250, done - now()))
      if (over()) return undefined
      return (last = prove(challenge))
    },
    used: () => last,
    share: (ticket) => void tickets.push(ticket),
    ticket: () => tickets[tickets.length - 1],
  }
}

/** Solves as the page does. Blocks. Throws where nothing solves it: the server never gives such a challenge. */
export function prove(challenge: Challenge): Proven {
  const found = solve(challenge)
  if (found === undefined) throw new Error('a challenge without a solution')
  return { challenge, solution: { counter: found.counter, derivedKey: found.derivedKey } }
}
