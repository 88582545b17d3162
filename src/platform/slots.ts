import slotOf from 'cluster-key-slot'

const SLOTS = 16_384
/** How far a slot may lie past the place asked for. */
const NEAR = 64

/**
 * The first of a series of hash tags whose slot lies a given share (0 to 1) of all slots past that of `from`. Where n masters
 * have the slots in equal ranges, tags a n-th apart are on n different ones.
 */
export function tagApart(from: string, share: number, series: (turn: number) => string): string {
  const wanted = slotOf(from) + Math.round(SLOTS * share)
  for (let turn = 0; ; turn += 1) {
    const tag = series(turn)
    if ((slotOf(tag) - wanted + 2 * SLOTS) % SLOTS < NEAR) return tag
  }
}
