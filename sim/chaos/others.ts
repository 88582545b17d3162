import type { Env } from '../../src/platform/config.ts'
import { now, sleep } from '../clock.ts'
import type { Role, World } from './world.ts'

const START_MS = 20_000

/** One more process of a role for a round, at work before it begins; a web process takes its turn of the requests. */
export async function startOther(world: World, role: Role, env: Env = {}): Promise<() => Promise<void>> {
  const { webPort, otherWebPort } = world
  const child = world.other(role, role === 'web' ? { ...env, PORT: String(otherWebPort) } : env)
  if (role === 'web') {
    await untilReady(otherWebPort)
    world.proxy('web').serve([webPort, otherWebPort])
  } else await sleep(1500)
  return async () => {
    if (role === 'web') world.proxy('web').serve([webPort])
    await child.stop(2000)
  }
}

/** Returns when a web process says that it is ready. */
export async function untilReady(port: number): Promise<void> {
  for (const until = now() + START_MS; now() < until; await sleep(50)) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, {
      signal: AbortSignal.timeout(2000),
    }).catch(() => undefined)
    if (answer?.ok) return
  }
  throw new Error(`no web process is ready at port ${port}`)
}
