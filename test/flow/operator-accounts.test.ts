import { afterAll, beforeAll, expect, test } from 'bun:test'
import { OperatorAccount } from '../../src/contracts/account-http.ts'
import { totpCode } from '../../src/operator/accounts/totp.ts'
import { problemOf, startApp, type TestApp } from '../support/app.ts'
import { type Browser, openBrowser, PASSWORD, signedIn } from '../support/operators.ts'

let app: TestApp
let root: Browser
beforeAll(async () => {
  app = await startApp()
  root = await signedIn(app, 'root', 'admin')
})
afterAll(() => app.close())

const reason = 'a test'
const add = (account: Record<string, unknown>) =>
  root.ask('POST', 'operators', { role: 'viewer', password: PASSWORD, reason, ...account })
const change = (name: string, wanted: Record<string, unknown>) =>
  root.ask('PATCH', `operators/${name}`, { reason, ...wanted })

test('an admin adds accounts and sees them all, without a hash or a secret', async () => {
  const added = await add({ name: 'zoe', role: 'operator' })
  expect(added.status).toBe(201)
  expect(OperatorAccount.strict().parse(added.body)).toMatchObject({
    ...{ name: 'zoe', role: 'operator', totp: false, disabled: false, last_sign_in_at: null },
  })
  expect(problemOf(await add({ name: 'zoe' }))).toBe('already_exists')
  for (const bad of [
    ...[{ name: 'Zoe' }, { name: '' }, { name: 'a b' }, { name: '0a' }, { name: 'x'.repeat(33) }, {}],
    ...[
      { name: 'y', role: 'god' },
      { name: 'y', password: 'short' },
      { name: 'y', reason: ' ' },
    ],
    ...[
      { name: 'y', totp_secret: 'A' },
      { name: 'name-as-password', password: 'Name-As-Password' },
    ],
  ])
    expect({ bad, code: problemOf(await add(bad)) }).toEqual({ bad, code: 'bad_request' })
  await openBrowser(app).signIn('zoe')
  const { body } = await root.ask<{ operators: OperatorAccount[] }>('GET', 'operators')
  expect(body.operators.map(({ name }) => name)).toEqual(['root', 'zoe'])
  const zoe = OperatorAccount.strict().parse(body.operators[1])
  expect(Math.abs(Number(zoe.last_sign_in_at) - app.clock.now())).toBeLessThan(5000)
})

type OperatorAccount = ReturnType<typeof OperatorAccount.parse>

test('a change of role, password or disabled ends the sessions at once; a lost app does not', async () => {
  for (const wanted of [{ role: 'operator' }, { password: 'another password' }, { disabled: true }]) {
    const name = `victim-${Object.keys(wanted)[0]}`
    const victim = await signedIn(app, name, 'viewer')
    expect((await change(name, wanted)).status).toBe(200)
    expect(problemOf(await victim.ask('GET', 'sales'))).toBe('operator_only')
  }
  expect(problemOf(await openBrowser(app).signIn('victim-disabled'))).toBe('sign_in_failed')
  expect((await openBrowser(app).signIn('victim-password', 'another password')).status).toBe(200)
  expect((await change('victim-disabled', { disabled: false })).body).toMatchObject({ disabled: false })
  expect((await openBrowser(app).signIn('victim-disabled')).status).toBe(200)

  const lost = await signedIn(app, 'lost-phone', 'viewer')
  const { body } = await lost.ask<{ secret: string }>('POST', 'session/totp')
  await lost.ask('PUT', 'session/totp', { code: totpCode(body.secret, app.clock.now()) })
  expect(problemOf(await openBrowser(app).signIn('lost-phone'))).toBe('code_required')
  expect((await change('lost-phone', { totp: false })).body).toMatchObject({ totp: false })
  expect((await lost.ask('GET', 'session')).status).toBe(200)
  expect((await openBrowser(app).signIn('lost-phone')).status).toBe(200)
})

test('changes that can not be made change nothing', async () => {
  expect(problemOf(await change('no-such-one', { disabled: true }))).toBe('unknown_operator')
  for (const wanted of [{}, { role: 'god' }, { totp: true }, { password: 'short' }, { name: 'new' }])
    expect({ wanted, code: problemOf(await change('zoe', wanted)) }).toMatchObject({ code: 'bad_request' })
  const { body } = await root.ask('PATCH', 'operators/zoe', { disabled: true })
  expect(body['code']).toBe('bad_request')
  expect((await openBrowser(app).signIn('zoe')).body).toMatchObject({ role: 'operator' })
})

test('the last admin who can sign in stays one, however many at once try to change that', async () => {
  for (const wanted of [{ role: 'operator' }, { disabled: true }])
    expect(problemOf(await change('root', wanted))).toBe('last_admin')
  expect((await root.ask('GET', 'session')).body).toMatchObject({ role: 'admin' })
  // An admin who is disabled is no help.
  await add({ name: 'spare', role: 'admin' })
  await change('spare', { disabled: true })
  expect(problemOf(await change('root', { disabled: true }))).toBe('last_admin')
  // Two admins, each of whom is about to be the last one.
  await change('spare', { disabled: false })
  const byToken = (name: string) => app.operate('PATCH', `operators/${name}`, { role: 'viewer', reason })
  for (let round = 0; round < 5; round += 1) {
    const answers = await Promise.all([byToken('root'), byToken('spare')])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
    await app.operate('PATCH', 'operators/root', { role: 'admin', reason })
    await app.operate('PATCH', 'operators/spare', { role: 'admin', reason })
  }
  await root.signIn('root')
})

test('every command is in the audit log, with who and why and no password', async () => {
  await add({ name: 'logged', role: 'viewer', reason: 'starts on Monday' })
  await change('logged', { role: 'operator', password: 'another password', reason: 'promoted' })
  const { body } = await root.ask<{ entries: Record<string, unknown>[] }>('GET', 'audit')
  expect(body.entries.slice(0, 2)).toMatchObject([
    {
      ...{ operator: 'root', command: 'operator.change', target: 'logged', reason: 'promoted' },
      detail: { role: 'operator', password: 'changed' },
    },
    { operator: 'root', command: 'operator.add', target: 'logged', reason: 'starts on Monday' },
  ])
  const text = JSON.stringify(body)
  for (const secret of [PASSWORD, 'another password', '$argon2id$']) expect(text).not.toContain(secret)
})
