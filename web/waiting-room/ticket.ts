import { type Answer, ask } from '../lib/api.ts'
import { createMemory, randomId } from '../lib/memory.ts'
import type { JoinAnswer } from '../lib/types.ts'

/** A place in line as this browser keeps it: what refresh, a second tab and tomorrow find again. */
export interface Ticket {
  readonly ticket: string
  readonly position: number
  /** The serving number when this browser first saw it: where its way to the front began. */
  readonly firstServing: number | null
}

export interface Tickets {
  /** The place kept in this browser; another tab may have changed it meanwhile. */
  readonly current: () => Ticket | undefined
  readonly note: (ticket: Ticket) => void
  /**
   * Asks for a place, or has the kept one confirmed. One tab at a time: two tabs that open together share one place.
   */
  readonly join: () => Promise<Answer<Ticket>>
  /** Gives the place up; the next `join` gets a new one. */
  readonly drop: () => void
  /** Names this browser to the server, no more than that; the same for all sales. */
  readonly device: string
}

export function createTickets(sale: string): Tickets {
  const kept = createMemory<Ticket>(() => localStorage, `doorbuster.ticket.${sale}`)
  const deviceMemory = createMemory<string>(() => localStorage, 'doorbuster.device')
  const device = deviceMemory.read() ?? randomId()
  deviceMemory.write(device)

  const join = async (): Promise<Answer<Ticket>> => {
    const held = kept.read()
    const answer = await ask<JoinAnswer>(`/api/queue/${sale}/join`, {
      method: 'POST',
      body: held === undefined ? { device } : { device, ticket: held.ticket },
    })
    if (answer.kind !== 'ok') return answer
    const { ticket, position, lobby_index } = answer.body
    const firstServing = held?.ticket === ticket ? held.firstServing : null
    const place = { ticket, position: position ?? lobby_index ?? 0, firstServing }
    kept.write(place)
    return { kind: 'ok', body: place }
  }

  return {
    current: kept.read,
    note: kept.write,
    // Locks need a secure context; without them two tabs opened at once merely get two places.
    join: () => ('locks' in navigator ? navigator.locks.request(`doorbuster.join.${sale}`, join) : join()),
    drop: kept.forget,
    device,
  }
}
