import { afterAll, beforeAll, expect, test } from 'bun:test'
import { OperatorSession } from '../../src/contracts/account-http.ts'
import { totpCode } from '../../src/operator/accounts/totp.ts'
import { problemOf, startApp, type TestApp, URLS } from '../support/app.ts'
import { addOperator, type Browser, COOKIE, openBrowser, PASSWORD, signedIn } from '../support/operators.ts'

// Signing in to the operator console, as a browser does it: real PostgreSQL and Redis behind HTTP.

const HOUR = 3_600_000
let app: TestApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app.close())

const audit = async () => {
  const { body } = await app.operate<{ entries: { operator: string; command: string; reason: string }[] }>(
    'GET',
    'audit',
  )
  return body.entries
}
const whoIs = async (browser: Browser) => {
  const answer = await browser.ask('GET', 'session')
  return answer.status === 200 ? String(answer.body['name']) : problemOf(answer)
}

test('somebody signs in, is known by a cookie that no script reads, and signs out', async () => {
  await addOperator(app, 'ada', 'viewer')
  const browser = openBrowser(app)
  expect(await whoIs(browser)).toBe('operator_only')
  const answer = await browser.signIn(' Ada ')
  const session = OperatorSession.strict().parse(answer.body)
  expect(session).toMatchObject({ name: 'ada', role: 'viewer', totp: false })
  expect(Math.abs(session.expires_at - app.clock.now() - 2 * HOUR)).toBeLessThan(10_000)
  const [pair = '', ...attributes] = (answer.headers.get('set-cookie') ?? '').split('; ')
  expect(pair).toMatch(/^__Host-operator=[\w-]{43}$/)
  expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=43200', 'Path=/', 'SameSite=Strict', 'Secure'])
  expect(answer.headers.get('cache-control')).toBe('no-store')

  const again = await browser.ask('GET', 'session')
  expect({ status: again.status, body: again.body }).toEqual({ status: 200, body: answer.body })
  const out = await browser.ask('DELETE', 'session')
  expect(out.status).toBe(204)
  expect(out.headers.get('set-cookie')).toContain(`${COOKIE}=;`)
  expect(await whoIs(browser)).toBe('operator_only')
  expect((await audit()).slice(0, 2)).toMatchObject([
    { operator: 'ada', command: 'session.end' },
    { operator: 'ada', command: 'session.begin' },
  ])
})

test('each sign-in makes a new token, never the one that was brought, and SQL holds no token', async () => {
  await addOperator(app, 'fix', 'viewer')
  const planted = 'A'.repeat(43)
  const [first, second] = [openBrowser(app), openBrowser(app)]
  first.cookie = second.cookie = `${COOKIE}=${planted}`
  await first.signIn('fix')
  await second.signIn('fix')
  const tokens = [planted, ...[first, second].map(({ cookie }) => cookie.slice(COOKIE.length + 1))]
  expect(new Set(tokens).size).toBe(3)
  const attacker = openBrowser(app)
  attacker.cookie = `${COOKIE}=${planted}`
  expect(await whoIs(attacker)).toBe('operator_only')
  const rows = await app.app.shards.catalogue.query(`select * from operator_sessions`)
  for (const token of tokens) expect(JSON.stringify(rows.rows)).not.toContain(token)
})

test('a wrong name, a wrong password and a wrong code get one and the same answer', async () => {
  const known = await signedIn(app, 'kay', 'viewer')
  const { body: offer } = await known.ask<{ secret: string }>('POST', 'session/totp')
  await known.ask('PUT', 'session/totp', { code: totpCode(offer.secret, app.clock.now()) })
  await addOperator(app, 'off', 'viewer')
  await app.operate('PATCH', 'operators/off', { disabled: true, reason: 'left' })
  const code = totpCode(offer.secret, app.clock.now())
  const wrong = code.replace(/\d$/, (last) => String((Number(last) + 1) % 10))
  const answers = [
    await openBrowser(app).signIn('nobody-of-this-name'),
    await openBrowser(app).signIn('No Name At All!'),
    await openBrowser(app).signIn('kay', 'not the password'),
    await openBrowser(app).signIn('kay', 'not the password', code),
    await openBrowser(app).signIn('kay', PASSWORD, wrong),
    await openBrowser(app).signIn('off'),
  ]
  const bodies = answers.map((answer) => {
    expect(problemOf(answer)).toBe('sign_in_failed')
    expect(answer.headers.get('set-cookie')).toBeNull()
    return { ...answer.body, request_id: '' }
  })
  expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1)
  const entries = (await audit()).slice(0, 6)
  expect(entries.map(({ operator, command, reason }) => [operator, command, reason]).reverse()).toEqual([
    ['nobody-of-this-name', 'session.refused', 'unknown_name'],
    ['no name at all!', 'session.refused', 'unknown_name'],
    ['kay', 'session.refused', 'wrong_password'],
    ['kay', 'session.refused', 'wrong_password'],
    ['kay', 'session.refused', 'wrong_code'],
    ['off', 'session.refused', 'disabled'],
  ])
  expect(JSON.stringify(entries)).not.toContain('not the password')
})

test('an authenticator app: offered, proven, asked for, each code once, taken off with the password', async () => {
  const browser = await signedIn(app, 'tom', 'operator')
  expect(problemOf(await browser.ask('PUT', 'session/totp', { code: '123456' }))).toBe('not_found')
  const { body } = await browser.ask<{ secret: string; uri: string }>('POST', 'session/totp')
  expect(body.uri).toBe(
    `otpauth://totp/Doorbuster:tom?issuer=Doorbuster&secret=${body.secret}&algorithm=SHA1&digits=6&period=30`,
  )
  // All by one moment: the test may take longer than a code's half a minute has left.
  const at = app.clock.now()
  const codeAt = (ms = 0) => totpCode(body.secret, at + ms)
  // Not in force before a code was shown.
  expect((await openBrowser(app).signIn('tom')).status).toBe(200)
  expect(problemOf(await browser.ask('PUT', 'session/totp', { code: codeAt(-90_000) }))).toBe('code_wrong')
  expect((await browser.ask('PUT', 'session/totp', { code: codeAt() })).status).toBe(204)
  expect((await browser.ask('GET', 'session')).body).toMatchObject({ totp: true })
  expect(problemOf(await browser.ask('POST', 'session/totp'))).toBe('already_exists')

  expect(problemOf(await openBrowser(app).signIn('tom'))).toBe('code_required')
  // The code that turned it on has been used; that of the next step counts once.
  expect(problemOf(await openBrowser(app).signIn('tom', PASSWORD, codeAt()))).toBe('sign_in_failed')
  const next = codeAt(30_000)
  const signIns = await Promise.all([1, 2, 3].map(() => openBrowser(app).signIn('tom', PASSWORD, next)))
  expect(signIns.map(({ status }) => status).sort()).toEqual([200, 401, 401])
  app.clock.aheadMs += 60_000
  const spaced = codeAt(60_000).replace(/^.../, '$& ')
  expect((await openBrowser(app).signIn('tom', PASSWORD, spaced)).status).toBe(200)
  app.clock.aheadMs = 0

  expect(problemOf(await browser.ask('DELETE', 'session/totp', { password: 'wrong' }))).toBe('password_wrong')
  expect((await browser.ask('DELETE', 'session/totp', { password: PASSWORD })).status).toBe(204)
  expect((await openBrowser(app).signIn('tom')).body).toMatchObject({ name: 'tom', totp: false })
})

test('a session ends after twelve hours, or two without use', async () => {
  const browser = await signedIn(app, 'eve', 'viewer')
  const at = async (hours: number) => {
    app.clock.aheadMs = hours * HOUR
    return whoIs(browser)
  }
  for (const hours of [1.9, 3.8, 5.7, 7.6, 9.5, 11.4]) expect(await at(hours)).toBe('eve')
  const { body } = await browser.ask('GET', 'session')
  expect(Number(body['expires_at']) - app.clock.now()).toBeLessThan(0.61 * HOUR)
  expect(await at(12)).toBe('operator_only')

  await browser.signIn('eve')
  expect(await at(13.99)).toBe('eve')
  expect(await at(16)).toBe('operator_only')
  // The rows of those that are over go with the next sign-in.
  await openBrowser(app).signIn('eve')
  const rows = await app.app.shards.catalogue.query(`select from operator_sessions where operator = 'eve'`)
  expect(rows.rowCount).toBe(1)
  app.clock.aheadMs = 0
})

test('a new password ends the other sessions, and only who knows the old one sets it', async () => {
  const here = await signedIn(app, 'pam', 'viewer')
  const elsewhere = openBrowser(app)
  await elsewhere.signIn('pam')
  const change = (current: string, password: string) =>
    here.ask('POST', 'session/password', { current, password })
  expect(problemOf(await change('not the password', 'a new password'))).toBe('password_wrong')
  for (const unfit of ['short', 'x'.repeat(201), 'pam'])
    expect(problemOf(await change(PASSWORD, unfit))).toBe('bad_request')
  expect(await whoIs(elsewhere)).toBe('pam')
  expect((await change(PASSWORD, 'a new pässword')).status).toBe(204)
  expect(await whoIs(here)).toBe('pam')
  expect(await whoIs(elsewhere)).toBe('operator_only')
  expect(problemOf(await elsewhere.signIn('pam'))).toBe('sign_in_failed')
  // The same letters from a keyboard that composes them otherwise.
  expect((await elsewhere.signIn('pam', 'a new pässword'.normalize('NFD'))).status).toBe(200)
})

test('a long name of an account is no password of it either', async () => {
  const name = 'a-name-of-many-letters'
  const browser = await signedIn(app, name, 'viewer')
  const answer = await browser.ask('POST', 'session/password', { current: PASSWORD, password: name })
  expect(problemOf(answer)).toBe('bad_request')
  expect(answer.body['detail']).toContain('is not the name')
})

test('what a cookie carries is taken from the console alone, as JSON; what a token carries from anywhere', async () => {
  const browser = await signedIn(app, 'cee', 'operator')
  const body = { reason: 'a test' }
  const from = (origin: string | undefined) =>
    app.send('ops', 'POST', '/api/operator/reconcile', {
      json: body,
      headers: { cookie: browser.cookie, ...(origin === undefined ? {} : { origin }) },
    })
  for (const origin of [undefined, 'null', URLS.shop, URLS.queue, 'https://evil.example', `${URLS.ops}.x`])
    expect({ origin, code: problemOf(await from(origin)) }).toEqual({ origin, code: 'origin_refused' })
  expect((await from(URLS.ops)).status).toBe(200)
  const form = await app.send('ops', 'POST', '/api/operator/reconcile', {
    raw: JSON.stringify(body),
    headers: { cookie: browser.cookie, origin: URLS.ops, 'content-type': 'text/plain' },
  })
  expect(problemOf(form)).toBe('unsupported_media_type')
  const foreign = await app.send('ops', 'POST', '/api/operator/session', {
    json: { name: 'cee', password: PASSWORD },
    headers: { origin: 'https://evil.example' },
  })
  expect(problemOf(foreign)).toBe('origin_refused')
  expect((await app.operate('POST', 'reconcile', body)).status).toBe(200)
  // A password that a proxy in front has asked for is none of ours, and is sent by the browser itself.
  const basic = { authorization: `Basic ${btoa('proxy:password')}` }
  expect((await browser.ask('GET', 'session', undefined, basic)).status).toBe(200)
  const evil = { ...basic, origin: 'https://evil.example' }
  expect(problemOf(await browser.ask('POST', 'reconcile', body, evil))).toBe('origin_refused')
  // A token that is wrong is not made up for by a cookie that is right.
  const both = await browser.ask('GET', 'sales', undefined, { authorization: 'Bearer of nothing at all' })
  expect(problemOf(both)).toBe('operator_only')
  expect(problemOf(await app.operate('GET', 'session'))).toBe('operator_only')
})
