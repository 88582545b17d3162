import { useEffect, useState } from 'preact/hooks'
import { backoffMs, pause, whenVisible } from '../../lib/time.ts'
import { BASE, call, type Refused } from '../api.ts'
import { sessionState } from '../session.ts'
import type { LiveSample } from '../shapes.ts'
import { follow } from './series.ts'

export const MOST_MINUTES = 60
/** The server sends a sample every second. */
const SILENCE_MS = 6000

export interface Live {
  readonly samples: readonly LiveSample[]
  /** Whether the newest sample is from just now. */
  readonly connected: boolean
  readonly refused: Refused | undefined
}

/**
 * The samples of a sale, as they come. What was missed while the stream was away (or this tab hidden) is read from
 * the history each time it is opened anew, which also serves where a proxy keeps event streams back.
 */
export function useLive(sale: string): Live {
  const [samples, setSamples] = useState<readonly LiveSample[]>([])
  const [connected, setConnected] = useState(false)
  const [refused, setRefused] = useState<Refused>()
  const signedIn = sessionState.use().kind === 'in'
  useEffect(() => {
    if (!signedIn) return
    const stop = new AbortController()
    const add = (more: readonly LiveSample[]) =>
      setSamples((known) => follow(known, more, MOST_MINUTES * 60_000))
    const run = async () => {
      for (let failures = 0; !stop.signal.aborted;) {
        await whenVisible()
        const path = `/sales/${sale}/live`
        const history = await call<{ samples: LiveSample[] }>(`${path}?minutes=${MOST_MINUTES}`)
        if (stop.signal.aborted) return
        setRefused(history.kind === 'ok' ? undefined : history)
        if (history.kind === 'ok') {
          add(history.body.samples)
          setConnected(true)
          failures = 0
          await listen(`${BASE}${path}/stream`, (sample) => add([sample]), stop.signal)
          setConnected(false)
        } else {
          setConnected(false)
          failures++
        }
        if (!stop.signal.aborted) await pause(backoffMs(failures, 1000))
      }
    }
    void run()
    return () => stop.abort()
  }, [sale, signedIn])
  return { samples, connected, refused }
}

/** Resolves when the stream breaks, falls silent, or the tab is hidden. */
function listen(url: string, onSample: (sample: LiveSample) => void, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const source = new EventSource(url)
    let timer: ReturnType<typeof setTimeout>
    const finish = () => {
      clearTimeout(timer)
      source.close()
      document.removeEventListener('visibilitychange', whenHidden)
      stop.removeEventListener('abort', finish)
      resolve()
    }
    const whenHidden = () => {
      if (document.hidden) finish()
    }
    const heard = () => {
      clearTimeout(timer)
      timer = setTimeout(finish, SILENCE_MS)
    }
    heard()
    source.addEventListener('sample', (event: MessageEvent<string>) => {
      heard()
      onSample(JSON.parse(event.data) as LiveSample)
    })
    source.addEventListener('error', finish)
    document.addEventListener('visibilitychange', whenHidden)
    stop.addEventListener('abort', finish)
  })
}
