import { expect, setDefaultTimeout, test } from 'bun:test'
import { problemOf, startApp } from '../support/app.ts'
import { createBuyer, createSale, newKey } from '../support/buyer.ts'
import { eventually } from '../support/stripe.ts'
import { connectRedis } from '../../src/platform/redis.ts'

setDefaultTimeout(90_000)

const FROZEN_MS = 10_000

test('frozen for 10 s, over HTTP: unknown at first, then 503 at once at scattered times; thawed, nothing storms, and the same key tells the truth', async () => {
  const app = await startApp()
  const { sale, item } = await createSale(app)
  const [first, second] = [createBuyer(app, 'phone-1'), createBuyer(app, 'phone-2')]
  const [passOfFirst, passOfSecond] = [await first.pass(sale), await second.pass(sale)]
  const key = newKey()
  // A connection of its own, that looks from outside.
  const outside = await connectRedis({ url: app.redis.url, commandTimeoutMs: 0 })
  const processed = async () =>
    Number(/total_commands_processed:(\d+)/.exec(await outside.commands.info('stats'))?.[1])
  const before = await processed()

  process.kill(app.redis.pid, 'SIGSTOP')
  const thawAt = performance.now() + FROZEN_MS
  const unknown = first.claim(passOfFirst, item, { key })
  await Bun.sleep(1300)
  const [waits, took] = [new Set<string | null>(), [] as number[]]
  let asked = 0
  while (performance.now() < thawAt) {
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        const started = performance.now()
        const answer = await second.claim(passOfSecond, item, { key: newKey() })
        took.push(performance.now() - started)
        expect(problemOf(answer as never)).toBe('unavailable')
        waits.add(answer.headers.get('retry-after'))
        asked += 1
      }),
    )
    await Bun.sleep(50)
  }
  const fast = took.filter((ms) => ms < 500).length
  expect(fast / took.length).toBeGreaterThan(0.8)
  expect(asked).toBeGreaterThan(100)
  expect(waits.size).toBeGreaterThan(2)
  expect(problemOf((await unknown) as never)).toBe('unavailable')

  process.kill(app.redis.pid, 'SIGCONT')
  await eventually(() => app.app.redis.runId() !== undefined, 15_000)
  const after = await processed()
  // What was refused has not been kept for later: only what was on its way when it froze.
  expect(after - before).toBeLessThan(asked / 4)
  const { available = 0, held = 0 } = (await app.app.inventory.stock(item)) ?? {}
  expect(available + held).toBe(10)
  expect(held).toBeWithin(0, 2) // of the first, or of nobody
  await eventually(async () => (await first.claim(passOfFirst, item, { key })).status === 201, 15_000)
  const { order_id } = (await first.claim(passOfFirst, item, { key })).body
  expect((await first.claim(passOfFirst, item, { key })).body.order_id).toBe(order_id)
  await eventually(async () => (await second.claim(passOfSecond, item)).status === 201, 15_000)
  expect(await app.app.inventory.stock(item)).toMatchObject({ available: 8, held: 2 })
  await outside.close()
  await app.close()
})
