import type { Broken } from './measures.ts'

/** Whoever asks again within this time, in ms, is still there and is to be let in first. */
const ASKS_AGAIN_MS = 2500
/** Between two readings of the stock it may have been empty unseen. */
const SAMPLE_GAP_MS = 500

interface Refused {
  at: number
  /** Somebody further back was let in since. */
  by: number | undefined
}

/**
 * Finds those whose turn had come, who were refused, and refused again within `ASKS_AGAIN_MS` although somebody further
 * back was let in meanwhile and there was something to be had all the time. Times in ms, as they come.
 */
export function createOvertaking(broken: Broken) {
  const asking = new Map<number, Refused>()
  const empty: number[] = []
  const suspects: { place: number; by: number; from: number; to: number }[] = []
  return {
    stock: (available: number, at: number) => void (available <= 0 && empty.push(at)),
    refused: (place: number, at: number) => {
      const before = asking.get(place)
      if (before?.by !== undefined && at - before.at <= ASKS_AGAIN_MS)
        suspects.push({ place, by: before.by, from: before.at, to: at })
      asking.set(place, { at, by: undefined })
    },
    entered: (place: number, at: number) => {
      asking.delete(place)
      for (const [other, refused] of asking) {
        if (at - refused.at > ASKS_AGAIN_MS) asking.delete(other)
        else if (other < place && refused.at < at) refused.by = place
      }
    },
    judge: () => {
      for (const { place, by, from, to } of suspects)
        if (!empty.some((at) => at > from - SAMPLE_GAP_MS && at < to + SAMPLE_GAP_MS))
          broken.add('order', `position ${by} was let in past ${place}, which kept asking`)
    },
  }
}
