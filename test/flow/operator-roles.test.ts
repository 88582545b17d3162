import { afterAll, beforeAll, expect, test } from 'bun:test'
import { ROLES, type Role } from '../../src/contracts/operators.ts'
import { leastRole } from '../../src/operator/roles.ts'
import { problemOf, startApp, type TestApp } from '../support/app.ts'
import { type Browser, signedIn } from '../support/operators.ts'

const TOKENS = { viewer: 'v'.repeat(20), operator: 'o'.repeat(20), admin: 'a'.repeat(20) }
let app: TestApp
let people: Record<Role, Browser>
beforeAll(async () => {
  app = await startApp({ OPS_TOKENS: ROLES.map((role) => `m-${role}:${TOKENS[role]}:${role}`).join(',') })
  people = {
    viewer: await signedIn(app, 'p-viewer', 'viewer'),
    operator: await signedIn(app, 'p-operator', 'operator'),
    admin: await signedIn(app, 'p-admin', 'admin'),
  }
})
afterAll(() => app.close())

interface Document {
  readonly paths: Record<string, Record<string, unknown>>
}
/** `[method, path below /api/operator]` of everything in the OpenAPI document. */
const commands = async (): Promise<[string, string][]> => {
  const { body } = await app.send<Document>('ops', 'GET', '/openapi.json')
  return Object.entries(body.paths)
    .filter(([path]) => path.startsWith('/api/operator/'))
    .flatMap(([path, operations]) =>
      Object.keys(operations)
        .filter((key) => key !== 'servers')
        .map((method): [string, string] => [method.toUpperCase(), path.slice('/api/operator'.length)]),
    )
}

test('every command there is has a least role, and every entry is of a command there is', async () => {
  const all = await commands()
  expect(all.length).toBeGreaterThan(30)
  for (const [method, path] of all)
    expect({ method, path, known: leastRole(method, path) !== undefined }).toMatchObject({ known: true })
  // One that somebody forgets to list is nobody's.
  expect(leastRole('POST', '/sales/{sale}/refund-all')).toBeUndefined()
  expect(leastRole('PATCH', '/sales/{sale}')).toBeUndefined()
  expect(leastRole('HEAD', '/sales')).toBe('viewer')
})

test('everything is refused to whoever is not signed in, or has too low a role, and to nobody else', async () => {
  for (const [method, path] of await commands()) {
    const least = leastRole(method, path)
    const address = path
      .replace('{sale}', 'no-such-sale')
      .replace('{name}', 'no-such-name')
      .replace('{id}', 'no-such-id')
    // An empty body does nothing: it is refused after the role has been looked at. A picture's body is no JSON.
    const json = method === 'GET' || path.endsWith('/picture') ? undefined : {}
    if (least !== 'anyone')
      expect({
        method,
        path,
        code: problemOf(
          await app.send('ops', method, `/api/operator${address}`, {
            json,
            headers: { origin: 'http://ops.localhost:8080' },
          }),
        ),
      }).toEqual({ method, path, code: 'operator_only' })
    // Signing out is for everybody; the sessions are needed.
    if (path === '/session' && method !== 'GET') continue
    for (const role of ROLES) {
      const mayNot = ROLES.indexOf(role) < ROLES.indexOf(least as Role)
      for (const answer of [
        await people[role].ask(method, address.slice(1), json),
        await app.send('ops', method, `/api/operator${address}`, {
          json,
          headers: { authorization: `Bearer ${TOKENS[role]}` },
        }),
      ]) {
        const refused = answer.body['code'] === 'role_too_low'
        expect({ method, path, role, refused }).toEqual({ method, path, role, refused: mayNot })
        if (refused) expect(answer.body['detail']).toContain(`the role ${least}; yours is ${role}`)
      }
    }
  }
})

test('the bounds between the roles, by name', async () => {
  const of = (command: string) => leastRole(...(command.split(' ') as [string, string]))
  for (const command of ['GET /sales', 'GET /audit', 'GET /items/{id}/oversell', 'POST /session/password'])
    expect({ command, least: of(command) }).toEqual({ command, least: 'viewer' })
  for (const command of [
    ...['POST /sales', 'POST /sales/{sale}/pause', 'PUT /sales/{sale}/message', 'POST /sales/{sale}/groups'],
    ...['POST /reconcile', 'POST /dead-letters/{id}/replay', 'POST /notices/retry'],
  ])
    expect({ command, least: of(command) }).toEqual({ command, least: 'operator' })
  for (const command of ['POST /items/{id}/oversell/approve', 'GET /operators', 'PATCH /operators/{name}'])
    expect({ command, least: of(command) }).toEqual({ command, least: 'admin' })
})

test('a new role counts from the next request on, by a new session', async () => {
  const browser = await signedIn(app, 'climber', 'viewer')
  const reconcile = () => browser.ask('POST', 'reconcile', { reason: 'a test' })
  expect(problemOf(await reconcile())).toBe('role_too_low')
  await app.operate('PATCH', 'operators/climber', { role: 'operator', reason: 'learnt it' })
  expect(problemOf(await reconcile())).toBe('operator_only')
  await browser.signIn('climber')
  expect((await reconcile()).status).toBe(200)
})

test('what is not there is not there, whoever asks', async () => {
  expect(problemOf(await people.admin.ask('GET', 'no-such-thing'))).toBe('not_found')
  expect(problemOf(await people.admin.ask('POST', 'no-such-thing', {}))).toBe('not_found')
  expect(problemOf(await people.viewer.ask('GET', 'operators/'))).toBe('not_found')
  expect(problemOf(await people.viewer.ask('GET', '%6fperators'))).toBe('role_too_low')
})
