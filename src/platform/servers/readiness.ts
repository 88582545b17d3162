import { systemClock } from '../clock.ts'
import { SettingError } from '../errors.ts'
import type { RunFile } from './data-dir.ts'

const READY_TIMEOUT_MS = 60_000

type Doors = Pick<RunFile, 'port' | 'health_ports' | 'edge_port' | 'urls'>

/** Returns when every web process says so, and the edge in front of it answers, or when `until` is aborted. */
export async function untilReady(run: Doors, until: AbortSignal): Promise<void> {
  const own = run.health_ports ?? []
  const deadline = systemClock.now() + READY_TIMEOUT_MS
  const doors = [
    ...(own.length > 0 ? own : [run.port]).map((port) => ask(port, '/readyz')),
    ...(run.edge_port === undefined ? [] : [ask(run.edge_port, '/healthz', run.urls.shop)]),
  ]
  for (const door of doors)
    for (;;) {
      if (until.aborted) return
      const state = await door()
      if (state === 'ready') break
      if (systemClock.now() > deadline)
        throw new SettingError(`Not ready within ${READY_TIMEOUT_MS / 1000} s (${state}); see the logs`)
      await systemClock.sleep(50, until)
    }
}

/** `ready`, or what there is instead. */
const ask = (port: number, path: string, url?: string) => async (): Promise<string> => {
  try {
    const headers: Record<string, string> = url === undefined ? {} : { Host: new URL(url).host }
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers,
      signal: AbortSignal.timeout(2000),
    })
    if (answer.status === 200) return 'ready'
    return `${path}: ${answer.status} ${(await answer.text()).slice(0, 200)}`
  } catch (error) {
    return `${path}: ${(error as Error).message}`
  }
}
