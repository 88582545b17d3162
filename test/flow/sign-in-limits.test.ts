import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Answer, problemOf, startApp, type TestApp } from '../support/app.ts'
import { addOperator, openBrowser, PASSWORD } from '../support/operators.ts'
import { createSignInLimits } from '../../src/operator/accounts/sign-in-limits.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app.close())

const expectLimited = (answer: Answer) => {
  expect(problemOf(answer)).toBe('rate_limited')
  const wait = Number(answer.headers.get('retry-after'))
  expect(wait).toBeGreaterThan(0)
  expect(wait).toBeLessThanOrEqual(900)
}

test('ten failures of one account, from wherever, and it is closed for a while, even to its owner', async () => {
  await addOperator(app, 'bea', 'viewer')
  const guesses = await Promise.all(
    Array.from({ length: 15 }, (_, index) =>
      openBrowser(app, `198.51.100.${index}`).signIn('bea', 'a guess'),
    ),
  )
  const statuses = guesses.map(({ status }) => status).sort()
  expect(statuses).toEqual([...Array<number>(10).fill(401), ...Array<number>(5).fill(429)])
  expectLimited(await openBrowser(app, '203.0.113.1').signIn('bea'))
  const { rows } = await app.app.shards.catalogue.query(
    `select from audit_log where command = 'session.refused' and target = 'bea'`,
  )
  expect(rows).toHaveLength(10)
})

test('whoever is right is not counted', async () => {
  await addOperator(app, 'dan', 'viewer')
  const browser = openBrowser(app, '203.0.113.2')
  for (let index = 0; index < 12; index += 1) expect((await browser.signIn('dan')).status).toBe(200)
  // Name and password are the same limit for those who are signed in.
  const guess = () => browser.ask('POST', 'session/password', { current: 'a guess', password: PASSWORD })
  for (let index = 0; index < 10; index += 1) expect(problemOf(await guess())).toBe('password_wrong')
  expectLimited(await guess())
  expect((await browser.ask('GET', 'session')).status).toBe(200)
})

test('forty failures from one address, whatever the names, and it waits; others do not', async () => {
  await addOperator(app, 'flo', 'viewer')
  const from = (address: string, name: string) => openBrowser(app, address).signIn(name, 'a guess')
  for (let index = 0; index < 40; index += 1)
    expect(problemOf(await from('203.0.113.3', `name-${index}`))).toBe('sign_in_failed')
  expectLimited(await openBrowser(app, '203.0.113.3').signIn('flo'))
  expect((await openBrowser(app, '203.0.113.4').signIn('flo')).status).toBe(200)
})

test('what has no outcome is no failure: SQL was away, not the memory of whoever signs in', async () => {
  const onError = (error: unknown) => expect(error).toBeUndefined()
  const limits = createSignInLimits({ redis: app.app.redis, secret: Buffer.from('secret'), onError })
  const attempt = (work: () => Promise<string>) =>
    limits.attempt({ name: 'gil', address: '203.0.113.5' }, work, (outcome) => outcome === 'failed')
  for (let index = 0; index < 12; index += 1)
    expect(await attempt(() => Promise.reject(new Error('away'))).catch(String)).toBe('Error: away')
  for (let index = 0; index < 10; index += 1) expect(await attempt(async () => 'failed')).toBe('failed')
  expect(await attempt(async () => 'right')).toMatchObject({ kind: 'limited' })
})
