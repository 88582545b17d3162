import { afterAll, beforeAll, expect, test } from 'bun:test'
import { until } from '../support/events.ts'
import { type RunningSystem, startSystem } from '../support/system.ts'

// Several web processes behind one port: buyers notice neither one that is told to stop nor one that is killed.

const LANES = 16
let system: RunningSystem
beforeAll(async () => {
  system = await startSystem({ env: { WEB_PROCESSES: '2' } })
}, 60_000)
afterAll(async () => {
  expect(await system.stop()).toBe(0)
}, 30_000)

const ask = (port: number, path: string) =>
  fetch(`http://127.0.0.1:${port}${path}`, {
    keepalive: false,
    headers: { Host: `shop.localhost:${system.port}` },
  })
const healthPorts = () => system.run().health_ports ?? []
const isReady = (port: number) =>
  ask(port, '/readyz').then(
    ({ status }) => status === 200,
    () => false,
  )
/** Of one process: sessions it has answered. */
const answeredBy = async (port: number) => {
  const text = await (await ask(port, '/metrics')).text()
  const line = text
    .split('\n')
    .find((one) => one.startsWith('doorbuster_http_requests_total{') && one.includes('/api/session'))
  return Number(line?.split(' ').at(-1) ?? 0)
}

test('both answer on the port, each tells of itself alone, and no answer is missing while one after the other ends', async () => {
  expect(Object.keys(system.run().processes).filter((name) => name.startsWith('web'))).toEqual([
    'web',
    'web-2',
  ])
  expect(healthPorts()).toHaveLength(2)
  for (const port of healthPorts()) expect(await isReady(port)).toBe(true)

  // A new connection each, so that the kernel chooses anew.
  const first = await Promise.all(Array.from({ length: 100 }, () => ask(system.port, '/api/session')))
  expect(new Set(first.map(({ status }) => status))).toEqual(new Set([200]))
  const counts = await Promise.all(healthPorts().map(answeredBy))
  expect(counts[0]).toBeWithin(10, 91)
  expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBe(100)

  let [answered, again, stop] = [0, 0, false]
  const unanswered: string[] = []
  const visitor = async () => {
    for (let tries = 0; !stop;) {
      const answer = await ask(system.port, '/api/session').catch(String)
      if (typeof answer === 'string' && tries++ === 0) again += 1
      else if (typeof answer === 'string' || answer.status !== 200)
        unanswered.push(typeof answer === 'string' ? answer : `${answer.status} ${await answer.text()}`)
      else answered += 1
      if (typeof answer !== 'string') tries = 0
      await Bun.sleep(5)
    }
  }
  const crowd = Array.from({ length: LANES }, visitor)
  for (const [name, signal, port] of [
    ['web-2', 'SIGTERM', healthPorts()[1]],
    ['web', 'SIGKILL', healthPorts()[0]],
  ] as const) {
    const seen = answered
    await until(() => answered > seen + 50)
    const pid = system.run().processes[name] ?? 0
    process.kill(pid, signal)
    await until(async () => !(await isReady(port ?? 0)))
    const alone = answered
    await until(() => answered > alone + 50)
    await until(() => system.run().processes[name] !== pid && isReady(port ?? 0))
    expect(system.output()).toContain(`${name} ended unexpectedly`)
  }
  stop = true
  await Promise.all(crowd)
  expect(unanswered).toEqual([])
  // What a killed process had taken on, and what was about to be accepted.
  expect(again).toBeLessThanOrEqual(3 * LANES)
}, 90_000)
