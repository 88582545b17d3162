import { expect, test } from 'bun:test'
import { validate, version } from 'uuid'
import { orderIdOf } from './order-id.ts'

const passOf = (claims: unknown) =>
  `head.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.signature`
const request = { pass: passOf({ iat: 1_700_000_000 }), user_id: 'ann', idempotency_key: 'key-0001' }

test('the same request is the same order, a UUIDv7 of the time of its pass', () => {
  const id = orderIdOf(request)
  expect(orderIdOf({ ...request })).toBe(id)
  expect([validate(id), version(id)]).toEqual([true, 7])
  expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(1_700_000_000_000)
})

test('another pass, buyer or key is another order, however they are put together', () => {
  const ids = [
    request,
    { ...request, pass: passOf({ iat: 1_700_000_001 }) },
    { ...request, user_id: 'ben' },
    { ...request, idempotency_key: 'key-0002' },
    { ...request, user_id: 'ann key', idempotency_key: '-0001' },
  ].map(orderIdOf)
  expect(new Set(ids).size).toBe(5)
  // Many at once: no two alike.
  const many = Array.from({ length: 20_000 }, (_, n) =>
    orderIdOf({ ...request, idempotency_key: `key-${n}` }),
  )
  expect(new Set(many).size).toBe(20_000)
})

test('what is no pass has an id all the same', () => {
  for (const pass of [
    '',
    'x',
    'a.b.c',
    passOf(null),
    passOf({ iat: -1 }),
    passOf({ iat: 'soon' }),
    passOf({ iat: 1e300 }),
  ])
    expect(validate(orderIdOf({ ...request, pass }))).toBe(true)
})
