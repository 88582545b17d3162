import type { Clock } from './clock.ts'
import { forEverybody } from './deadline.ts'

export interface RenderingOptions {
  readonly clock: Pick<Clock, 'now'>
  /** How long what was made may be shown, counted from when its making began. */
  readonly freshMs: number
  /** So many are kept; the one made longest ago goes first. */
  readonly most: number
}

/**
 * Makes what many ask for once in `freshMs`: whoever asks meanwhile gets the same, and whoever asks while it is made waits
 * for it. Nothing older is ever given, and neither a failure nor "there is none" is kept.
 */
export function createRenderings<Made>({ clock, freshMs, most }: RenderingOptions) {
  const known = new Map<string, { begun_at: number; made: Promise<Made | undefined> }>()

  return (key: string, make: () => Promise<Made | undefined>): Promise<Made | undefined> => {
    const latest = known.get(key)
    if (latest !== undefined && clock.now() - latest.begun_at < freshMs) return latest.made
    // Whatever becomes of the request that asked first.
    const rendering = { begun_at: clock.now(), made: forEverybody(make) }
    const forget = () => {
      if (known.get(key) === rendering) known.delete(key)
    }
    known.delete(key)
    known.set(key, rendering)
    for (const oldest of known.keys()) {
      if (known.size <= most) break
      known.delete(oldest)
    }
    rendering.made.then((made) => made === undefined && forget(), forget)
    return rendering.made
  }
}
