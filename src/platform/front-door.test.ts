import { expect, test } from 'bun:test'
import { isSheddable, timeLeftMs } from './deadline.ts'
import { atTheDoor } from './front-door.ts'
import { createShedding } from './shedding.ts'

const at = (path: string, init: RequestInit = {}) => ({
  host: 'shop' as const,
  path,
  request: new Request(`http://shop.localhost${path}`, init),
})
/** Under so much pressure that everything that may be turned away is. */
function pressed() {
  const shedding = createShedding({ random: () => 0 })
  for (let n = 0; n < 100; n += 1) shedding.measured(1000, 100)
  return shedding
}

test('who is turned away is told when to come back, each at another time, and costs nothing else', async () => {
  const shedding = pressed()
  let asked = 0
  const waits = new Set<string | null>()
  for (let n = 0; n < 60; n += 1) {
    const answer = await atTheDoor(shedding, at('/api/products'), async () => {
      asked += 1
      return new Response('all of them')
    })
    const body = (await answer.json()) as Record<string, unknown>
    expect([answer.status, answer.headers.get('content-type'), body['code']]).toEqual([
      503,
      'application/problem+json',
      'overloaded',
    ])
    expect(body['request_id']).toBe(answer.headers.get('x-request-id'))
    waits.add(answer.headers.get('retry-after'))
  }
  expect(asked).toBe(0)
  expect([...waits].every((wait) => Number(wait) >= 1 && Number(wait) <= 7)).toBe(true)
  expect(waits.size).toBeGreaterThan(2)
  const page = await atTheDoor(
    shedding,
    at('/', { headers: { accept: 'text/html,*/*' } }),
    async () => new Response(),
  )
  expect([page.status, page.headers.get('content-type'), page.headers.has('refresh')]).toEqual([
    503,
    'text/html; charset=utf-8',
    true,
  ])
})

test('payments, webhooks, cancellations and health pass the same door, with what they are worth and the time they have', async () => {
  const shedding = pressed()
  for (const [method, path] of [
    ['POST', '/api/orders/1/payment'],
    ['POST', '/webhooks/stripe'],
    ['DELETE', '/api/orders/1'],
  ] as const) {
    const answer = await atTheDoor(shedding, at(path, { method }), async () => {
      const left = timeLeftMs() ?? 0
      return new Response(`${isSheddable()} ${left > 15_000 && left <= 20_000}`)
    })
    expect(await answer.text()).toBe('false true')
  }
  expect((await atTheDoor(shedding, at('/healthz'), async () => new Response('ok'))).status).toBe(200)
})

test('an answer that does not come is replaced when its time is over: unknown, to be asked again with the same key', async () => {
  const shedding = createShedding()
  const never = new Promise<Response>(() => undefined)
  const answer = await atTheDoor(shedding, at('/api/claims', { method: 'POST' }), () => never, 50)
  const { code, detail } = (await answer.json()) as { code: string; detail: string }
  expect([answer.status, code]).toEqual([503, 'unavailable'])
  expect(detail).toContain('same Idempotency-Key')
  expect(Number(answer.headers.get('retry-after'))).toBeWithin(1, 8)
})
