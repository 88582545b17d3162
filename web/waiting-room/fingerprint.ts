import type { Agent } from '@fingerprintjs/fingerprintjs'

let agent: Promise<Agent> | undefined

/** What this browser looks like, for the guard: only a signal. '' where it does not say in time. */
export async function fingerprint(): Promise<string> {
  const load = async () => (await import('@fingerprintjs/fingerprintjs')).default.load({ monitoring: false })
  try {
    const found = (agent ??= load()).then((loaded) => loaded.get()).then(({ visitorId }) => visitorId)
    const late = new Promise<string>((resolve) => setTimeout(() => resolve(''), 1000))
    return await Promise.race([found, late])
  } catch {
    return ''
  }
}
