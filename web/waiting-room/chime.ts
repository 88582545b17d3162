/** A short sound made on the spot: no file to load while everybody arrives. */
export interface Chime {
  /** Whether the browser would let it sound now. */
  readonly ready: () => boolean
  /** Only in a click or a press of a key: no browser lets a page be loud by itself. */
  readonly unlock: () => Promise<void>
  /** Resolves when it has faded; at once where the browser does not let it sound. */
  readonly play: () => Promise<void>
}

/** Hertz, and seconds from the start: a fourth up, twice. */
const NOTES = [
  [659.3, 0],
  [880, 0.18],
  [659.3, 0.5],
  [880, 0.68],
] as const
const FADE_S = 0.5
const LOUDNESS = 0.25
const LENGTH_MS = 1000 * (NOTES[NOTES.length - 1]![1] + FADE_S)

export function createChime(): Chime {
  let context: AudioContext | undefined
  const ready = () => context?.state === 'running'
  return {
    ready,
    unlock: async () => {
      try {
        context ??= new AudioContext()
        await context.resume()
      } catch {
        // A browser without sound: the notification is left.
      }
    },
    play: async () => {
      if (context === undefined || !ready()) return
      for (const [pitch, at] of NOTES) sound(context, pitch, context.currentTime + at)
      await new Promise((resolve) => setTimeout(resolve, LENGTH_MS))
    },
  }
}

function sound(context: AudioContext, pitch: number, at: number): void {
  const tone = context.createOscillator()
  const volume = context.createGain()
  tone.frequency.value = pitch
  volume.gain.setValueAtTime(0, at)
  volume.gain.linearRampToValueAtTime(LOUDNESS, at + 0.02)
  volume.gain.exponentialRampToValueAtTime(0.001, at + FADE_S)
  tone.connect(volume).connect(context.destination)
  tone.start(at)
  tone.stop(at + FADE_S)
}
