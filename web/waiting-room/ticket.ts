import { type Answer, ask } from '../lib/api.ts'
import { createMemory, randomId } from '../lib/memory.ts'
import { createVault } from '../lib/vault.ts'
import { provenJoin } from './proven-join.ts'
import { createProver, type Prover } from './proof.ts'
import type { JoinAnswer } from '../../src/contracts/shapes.ts'

/** A place as this browser keeps it: what refresh, a second tab and tomorrow find again. */
export interface Ticket {
  readonly ticket: string
  readonly position?: number | undefined
  readonly lobby_index?: number | undefined
  /** In the line of a group: its id. */
  readonly lane?: string | undefined
  /** Of the draw, as it was published when the place was taken. */
  readonly commitment?: string | undefined
  /** The serving number when this browser first saw it: where its way to the front began. */
  readonly firstServing: number | null
}

/** A join under way: sent again with the same key until it is answered, so that a lost answer takes no second place. */
interface Joining {
  readonly key: string
  readonly code?: string
}

export interface Tickets {
  /** The place kept in this browser; another tab may have changed it meanwhile. */
  readonly current: () => Ticket | undefined
  readonly note: (ticket: Ticket) => void
  /**
   * Asks for a place, or has the kept one confirmed. One tab at a time: two tabs that open together share one place.
   * `commitment`: what is published of the draw right now.
   */
  readonly join: (commitment?: string) => Promise<Answer<Ticket>>
  /** Asks for a place in the line of a group; only one that is given replaces the kept one. */
  readonly joinGroup: (code: string) => Promise<Answer<Ticket>>
  /** Gives the place up; the next `join` gets a new one. */
  readonly drop: () => Promise<void>
  /** Names this browser to the server, no more than that; the same for all sales. */
  readonly device: () => string
}

/** The place kept in this browser for a sale. */
export const ticketMemory = (sale: string) =>
  createMemory<Ticket>(() => localStorage, `doorbuster.ticket.${sale}`)

export function createTickets(sale: string): Tickets {
  const kept = ticketMemory(sale)
  const joining = createMemory<Joining>(() => localStorage, `doorbuster.joining.${sale}`)
  const deviceMemory = createMemory<string>(() => localStorage, 'doorbuster.device')
  const first = deviceMemory.read() ?? randomId()
  deviceMemory.write(first)
  // Read anew each time: where two tabs open at once and each names the browser, the name that stays is the one of both.
  const device = () => deviceMemory.read() ?? first

  /** What the last tab that joined has got: the next one finds it here, whatever has reached it of the memory by then. */
  const vault = createVault<{ readonly device: string; readonly place: Ticket }>(`place ${sale}`)
  const catchUp = async () => {
    const shared = kept.read() === undefined ? await vault.read() : undefined
    if (shared === undefined) return
    deviceMemory.write(shared.device)
    kept.write(shared.place)
  }

  let made: Prover | undefined
  const prover = () => (made ??= createProver(sale, device))
  // Worked on while the visitor reads; whoever has a place needs none.
  if (kept.read() === undefined) prover()

  const send = async (
    held: Ticket | undefined,
    code?: string,
    commitment?: string,
  ): Promise<Answer<Ticket>> => {
    const last = joining.read()
    const { key } = last !== undefined && last.code === code ? last : { key: randomId() }
    if (held === undefined) joining.write({ key, ...(code === undefined ? {} : { code }) })
    const request = (proven: object) =>
      ask<JoinAnswer>(`/api/queue/${sale}/join`, {
        method: 'POST',
        headers: { 'Idempotency-Key': key },
        body: {
          device: device(),
          ...(held === undefined ? {} : { ticket: held.ticket }),
          ...(code === undefined ? {} : { code }),
          ...proven,
        },
      })
    const answer = await (held === undefined ? provenJoin(prover(), request) : request({}))
    if (!isLost(answer)) joining.forget()
    if (answer.kind !== 'ok') return answer
    const { ticket, position, lobby_index, lane } = answer.body
    const place: Ticket =
      held?.ticket === ticket
        ? { ...held, position, lobby_index }
        : { ticket, position, lobby_index, lane, commitment, firstServing: null }
    kept.write(place)
    await vault.write({ device: device(), place })
    return { kind: 'ok', body: place }
  }
  // Locks need a secure context; without them two tabs opened at once merely get two places.
  const oneTab = <Result>(work: () => Promise<Result>): Promise<Result> =>
    'locks' in navigator ? navigator.locks.request(`doorbuster.join.${sale}`, work) : work()

  return {
    current: kept.read,
    note: kept.write,
    join: (commitment) =>
      oneTab(async () => {
        await catchUp()
        return send(kept.read(), undefined, commitment)
      }),
    joinGroup: (code) => oneTab(() => send(undefined, code)),
    drop: async () => {
      kept.forget()
      await vault.forget()
    },
    device,
  }
}

/** Nobody knows whether it was done. */
function isLost(answer: Answer<unknown>): boolean {
  return answer.kind === 'unreachable' || (answer.kind === 'problem' && answer.problem.status >= 500)
}
