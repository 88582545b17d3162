import { expect, test } from 'bun:test'
import { createHttpApp } from '../../platform/http.ts'
import { createLog, createMetrics } from '../../platform/telemetry.ts'
import { BASE, createSignIn, operatorOf } from './sign-in.ts'

const ORIGIN = 'http://ops.localhost'
const TOKEN = 'of an admin, long enough'

test('a command that nobody has given a role to is refused, even to an admin', async () => {
  const app = createHttpApp('ops', { log: createLog('silent', 'test'), metrics: createMetrics() })
  const keys = [{ name: 'root', token: TOKEN, role: 'admin' as const }]
  const { operatorsOnly } = createSignIn({
    keys,
    sessions: { find: () => Promise.resolve(undefined) },
    origin: ORIGIN,
  })
  const reached: string[] = []
  app.use(`${BASE}/*`, operatorsOnly)
  for (const path of ['/sales', '/forgotten', '/sales/:sale/forgotten'])
    app.post(`${BASE}${path}`, (c) => {
      reached.push(`${path} by ${operatorOf(c)}`)
      return c.json({})
    })
  const post = async (path: string) => {
    const headers = { authorization: `Bearer ${TOKEN}` }
    return (await app.request(`${ORIGIN}${BASE}${path}`, { method: 'POST', headers })).status
  }
  expect(await post('/sales')).toBe(200)
  expect(await post('/forgotten')).toBe(404)
  expect(await post('/sales/x/forgotten')).toBe(404)
  // The role belongs to the route that answers, not to a text that looks like one.
  expect(await post('/sales/x/forgotten/../../../sales')).toBe(200)
  expect(await post('/sales/')).toBe(404)
  expect(reached).toEqual(['/sales by root', '/sales by root'])
})
