import { explain, type Refused } from '../lib/api.ts'
import { byId, notice, setText } from '../lib/dom.ts'
import { say } from '../lib/words.ts'

/** What keeps the page from asking: no network, a server that is away, or one that says "later". */
export interface Trouble {
  /** The server has answered as it should. */
  readonly over: () => void
  readonly show: (refused: Refused) => void
  /** Moves on how long ago the last answer came. */
  readonly tick: () => void
  /** Since when nothing has been heard, by `performance.now()`; undefined while all is well. */
  readonly since: () => number | undefined
}

/** A shorter silence needs no words. */
const SILENCE_MS = 5000

/** `isPlaceKept`: whether this browser has a place that can be kept. */
export function createTrouble(isPlaceKept: () => boolean): Trouble {
  let heardAt: number | undefined
  let since: number | undefined
  const tell = (title: string, detail: string) => {
    since ??= heardAt ?? performance.now()
    const kept = isPlaceKept() ? ` ${say('common.place_kept')}` : ''
    notice(byId('trouble'), { title: `${title}.`, detail: detail + kept })
  }
  const offline = () => tell(say('waiting-room.offline'), say('waiting-room.offline.text'))
  const tick = () => {
    const silence = since === undefined || heardAt === undefined ? 0 : performance.now() - heardAt
    byId('last-answer').hidden = silence < SILENCE_MS
    if (silence >= SILENCE_MS)
      setText(byId('last-answer'), say('waiting-room.last_answer', { wait: say.wait(silence / 1000) }))
  }
  // Said at once, not with the next question.
  addEventListener('offline', offline)
  return {
    tick,
    since: () => since,
    over: () => {
      heardAt = performance.now()
      since = undefined
      notice(byId('trouble'), undefined)
      tick()
    },
    show: (refused) => {
      if (!navigator.onLine) offline()
      else if (isAway(refused)) tell(say('waiting-room.away'), say('waiting-room.away.text'))
      else {
        const { title, detail } = explain(refused)
        tell(title, detail)
      }
    },
  }
}

/** A server that is merely full says so itself. */
function isAway(refused: Refused): boolean {
  if (refused.kind === 'unreachable') return true
  return refused.problem.code === 'unavailable' || refused.problem.code === 'internal'
}
