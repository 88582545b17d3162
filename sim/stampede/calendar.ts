/** Slots ahead that the calendar knows; what is further off is asked for again then. */
const SLOTS = 2048
const NOBODY = -1

export type Calendar = ReturnType<typeof createCalendar>

/** When whom to look at again: a ring of time slots, each a linked list through one array, four bytes a visitor. */
export function createCalendar(visitors: number) {
  const first = new Int32Array(SLOTS).fill(NOBODY)
  const next = new Int32Array(visitors)
  let waiting = 0
  return {
    /** Visitors in it. */
    get waiting() {
      return waiting
    },
    /** A visitor is in it at most once. `after`: slots from `now` on, at least one. */
    add: (visitor: number, now: number, after: number) => {
      const slot = (now + Math.min(SLOTS - 1, Math.max(1, Math.round(after)))) & (SLOTS - 1)
      next[visitor] = first[slot] ?? NOBODY
      first[slot] = visitor
      waiting += 1
    },
    /** Takes out everybody of this slot. */
    take: (now: number, visit: (visitor: number) => void) => {
      const slot = now & (SLOTS - 1)
      let visitor = first[slot] ?? NOBODY
      first[slot] = NOBODY
      while (visitor !== NOBODY) {
        // Before the visit: it may put the visitor into another slot.
        const following = next[visitor] ?? NOBODY
        waiting -= 1
        visit(visitor)
        visitor = following
      }
    },
  }
}
