import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createLine } from '../../bench/edge/line.ts'
import { waitThroughEdge } from '../../bench/edge/waiters.ts'
import { skipLoudly } from '../support/edge.ts'
import { type RunningSystem, startSystem } from '../support/system.ts'

// `npm start -- --edge` and a crowd that waits: bench/edge.ts in short. Its minute with ten thousand is in docs/edge.md.

const skip = skipLoudly()
let system: RunningSystem | undefined
beforeAll(async () => {
  if (!skip) system = await startSystem({ edge: true })
}, 200_000)
afterAll(async () => void (await system?.stop()))

describe.skipIf(skip)('people who wait behind the edge', () => {
  test('cost the origin a request a second, however many they are; nobody is limited, and nobody hears old news', async () => {
    const { dataDir, port } = system as RunningSystem
    const { urls, edge_port } = (system as RunningSystem).run()
    expect(edge_port).toBe(port)
    expect(new URL(urls.queue).port).toBe(String(port))
    for (const waiters of [50, 500]) {
      const line = await createLine(dataDir, waiters, 20)
      const before = await line.statusRequests()
      const began = performance.now()
      const host = new URL(urls.queue).host
      const met = await waitThroughEdge({ port, host, sale: line.sale, waiters, seconds: 10, perAddress: 10 })
      const asked = (await line.statusRequests()) - before
      const seconds = (performance.now() - began) / 1000
      expect(met.polls).toBeGreaterThan(waiters * 2)
      expect(met.statuses).toEqual({ '200': met.polls })
      expect(asked).toBeGreaterThan(5)
      // One for each second of the clock that it lasted.
      expect(asked).toBeLessThanOrEqual(seconds + 2)
      expect(met.age_ms.max).toBeLessThan(2500)
    }
  }, 120_000)
})
