/** What happened in one second of virtual time, counted; and how things stood at its end. */
export interface Second {
  /** Seconds since the opening. */
  readonly at: number
  arrived: number
  joined: number
  /** Came after the end. */
  refused: number
  admitted: number
  left: number
  /** Answered by an edge, without a word to the origin. */
  polls: number
  origin: number
  bytes: number
  /** People who look at their place; in the line from the next to be served to the last; units. */
  waiting: number
  depth: number
  available: number
  held: number
  sold: number
}

export const newSecond = (at: number): Second => ({
  ...{ at, arrived: 0, joined: 0, refused: 0, admitted: 0, left: 0, polls: 0, origin: 0, bytes: 0 },
  ...{ waiting: 0, depth: 0, available: 0, held: 0, sold: 0 },
})

/** Somebody let in. Milliseconds; `waited` counts from the opening for who came before it. */
export interface Admission {
  readonly visitor: number
  readonly place: number
  readonly at: number
  readonly waited: number
}

/** The names of what must hold; `Broken` collects what did not. */
export const INVARIANTS = {
  stock: 'no more is sold than there is, and available + held + sold is the total in every second',
  orders: 'every claim is one order, every order ends, and what is paid is what Redis calls sold',
  limit: 'no account gets more than its limit, with however many devices',
  places: 'every place is given once, in the order of arrival, and kept over a reload or a repeated request',
  rate: 'nobody is let in beyond the rate',
  turn: 'nobody is let in before their turn',
  order: 'nobody who keeps asking is passed while there is something to be had',
} as const
export type Invariant = keyof typeof INVARIANTS

export class Broken {
  readonly found = new Map<Invariant, string[]>()
  add(invariant: Invariant, what: string): void {
    const list = this.found.get(invariant) ?? []
    this.found.set(invariant, list)
    list.push(what)
  }
  expect(holds: boolean, invariant: Invariant, what: () => string): void {
    if (!holds) this.add(invariant, what())
  }
}
