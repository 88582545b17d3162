import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connectRedis } from '../../src/platform/redis.ts'
import { until } from '../setup/started.ts'
import { UNGUARDED } from '../support/buyer.ts'
import { type RunningSystem, startSystem } from '../support/system.ts'

// A process that is told to stop answers what it has taken on: every place it handed out reaches its owner.

const OPS_TOKEN = 'operator-token-of-tests'
let system: RunningSystem
beforeAll(async () => {
  system = await startSystem({ env: { OPS_TOKEN } })
}, 60_000)
afterAll(async () => {
  expect(await system.stop()).toBe(0)
}, 30_000)

test('no place is handed out whose answer is lost when web is stopped under load', async () => {
  const { redis_url, processes, urls } = system.run()
  const redis = await connectRedis({ url: redis_url })
  // Without proof of work: the crowd is to keep the process busy, not itself.
  const created = await fetch(`http://127.0.0.1:${system.port}/api/operator/sales`, {
    method: 'POST',
    headers: {
      ...{ Host: new URL(urls.ops).host, Authorization: `Bearer ${OPS_TOKEN}` },
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({
      ...{ id: 'crowded', name: 'Crowded', rate_per_second: 1, guard: UNGUARDED, reason: 'test' },
      products: [{ id: 'crowded-tv', name: 'TV', amount: 100, currency: 'EUR', units: 10 }],
    }),
  })
  expect(created.status).toBe(201)
  const placesGiven = async () => Number(await redis.commands.hget('queue:{crowded}', 'tail'))
  const before = await placesGiven()
  const host = new URL(urls.queue).host
  let [answered, refused, stop] = [0, 0, false]
  const visitor = async (name: string) => {
    for (let n = 0; !stop; n += 1) {
      const answer = await fetch(`http://127.0.0.1:${system.port}/api/queue/crowded/join`, {
        method: 'POST',
        headers: { Host: host, 'Content-Type': 'application/json' },
        body: JSON.stringify({ device: `${name}-${n}` }),
      }).catch(() => undefined)
      if (answer?.status === 201) answered += 1
      else refused += 1
      // A connection that is refused fails at once; asking again without a pause would only burn the machine.
      if (answer === undefined) await Bun.sleep(20)
    }
  }
  const crowd = Array.from({ length: 40 }, (_, index) => visitor(`visitor-${index}`))
  await until('the crowd to be at work', () => answered > 200)
  for (let round = 0; round < 2; round += 1) {
    const pid = system.run().processes['web'] ?? 0
    process.kill(pid, 'SIGTERM')
    const seen = answered
    await until(
      'another web to answer',
      () => system.run().processes['web'] !== pid && answered > seen + 200,
      30_000,
    )
  }
  stop = true
  await Promise.all(crowd)
  expect(system.run().processes['web']).not.toBe(processes['web'])
  expect({ lost: (await placesGiven()) - before - answered, refused: refused > 0 }).toEqual({
    lost: 0,
    refused: true,
  })
  await redis.close()
}, 90_000)
