import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import type { Config } from '../platform/config.ts'
import { createHttpApp } from '../platform/http.ts'
import { type HttpServer, listen } from '../platform/server.ts'
import { createLog, createMetrics } from '../platform/telemetry.ts'
import { createIdentity } from './identity.ts'

const SHARED = 'a shared key of at least 32 characters'
const NOW_MS = 1_800_000_000_000
const NOW_S = NOW_MS / 1000
const clock = { now: () => NOW_MS, sleep: async () => undefined }
type Jwt = Extract<Config['auth'], { kind: 'jwt' }>

/** Who the shop takes the bearer of a token for, or the code of its refusal. */
function asker(auth: Partial<Jwt>) {
  const identity = createIdentity({
    auth: { kind: 'jwt', jwksUrl: undefined, issuer: undefined, audience: undefined, ...auth },
    secrets: { session: Buffer.alloc(32), jwtKey: auth.jwksUrl === undefined ? SHARED : undefined },
    clock,
  })
  const app = createHttpApp('shop', { log: createLog('silent', 'test'), metrics: createMetrics() })
  app.get('/who', async (c) => c.json({ user: await identity.user(c) }))
  app.post('/who', async (c) => c.json({ user: await identity.known(c) }))
  return async (token?: string, method = 'GET') => {
    const headers: Record<string, string> = token === undefined ? {} : { 'x-user-token': token }
    const response = await app.fetch(new Request('https://shop.example/who', { method, headers }))
    const body = (await response.json()) as { user?: string; code?: string }
    expect(response.headers.get('set-cookie')).toBeNull()
    return body.user ?? body.code
  }
}

const good = { sub: 'customer 17', iat: NOW_S, exp: NOW_S + 60, iss: 'https://id.example', aud: 'shop' }
const bytes = (text: string) => new TextEncoder().encode(text)
const sign = (claims: JWTPayload, key: string = SHARED, alg = 'HS256') =>
  new SignJWT(claims).setProtectedHeader({ alg }).sign(bytes(key))

describe('AUTH=jwt with a shared key', () => {
  const ask = asker({ issuer: 'https://id.example', audience: 'shop' })

  test('`sub` is the buyer', async () => {
    expect(await ask(await sign(good))).toBe('customer 17')
    expect(await ask(await sign(good), 'POST')).toBe('customer 17')
  })

  test('no token, a broken, altered, expired, foreign or otherwise signed one', async () => {
    expect(await ask()).toBe('session_missing')
    const token = await sign(good)
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]}.`
    for (const bad of [
      ...['', 'x', 'a.b.c', token.slice(0, -2), unsigned],
      await sign(good, 'another key of more than 32 characters'),
      await sign(good, SHARED, 'HS512'),
      await sign({ ...good, exp: NOW_S - 1 }),
      await sign({ ...good, nbf: NOW_S + 60 }),
      await sign({ ...good, iss: 'https://evil.example' }),
      await sign({ ...good, aud: 'another shop' }),
    ])
      expect(await ask(bad)).toBe('session_invalid')
  })

  test('a `sub` that is no name for a buyer', async () => {
    const without = { ...good, sub: undefined }
    const subs: unknown[] = ['', 'x'.repeat(201), 'a\u0000b', '\ud800', 'new\nline', 17, ['a'], null]
    for (const bad of [without, ...subs.map((sub) => ({ ...good, sub }))])
      expect(await ask(await sign(bad as JWTPayload))).toBe('session_invalid')
  })

  test('a token without an end is refused: it could never be taken back', async () => {
    const without: JWTPayload = { ...good }
    delete without.exp
    expect(await ask(await sign(without))).toBe('session_invalid')
  })

  test('an address the provider vouches for is known; any other is not', async () => {
    const identity = createIdentity({
      auth: { kind: 'jwt', jwksUrl: undefined, issuer: undefined, audience: undefined },
      secrets: { session: Buffer.alloc(32), jwtKey: SHARED },
      clock,
    })
    const app = createHttpApp('shop', { log: createLog('silent', 'test'), metrics: createMetrics() })
    app.get('/mail', async (c) => c.json({ email: (await identity.email(c)) ?? null }))
    const known = async (claims: object) => {
      const headers = { 'x-user-token': await sign({ ...good, ...claims }) }
      const response = await app.fetch(new Request('https://shop.example/mail', { headers }))
      return ((await response.json()) as { email: string | null }).email
    }
    expect(await known({ email: 'a@example.com' })).toBe('a@example.com')
    expect(await known({ email: 'a@example.com', email_verified: true })).toBe('a@example.com')
    for (const claims of [
      {},
      { email: 'a@example.com', email_verified: false },
      ...['', 'a', 'a@example.com\r\nBcc: b@example.com', ['a@example.com'], 7].map((email) => ({ email })),
    ])
      expect(await known(claims)).toBeNull()
  })
})

describe('AUTH=jwt with a JWKS address', () => {
  let server: HttpServer
  let keys: unknown
  let status = 200
  beforeAll(() => {
    server = listen({ host: '127.0.0.1', port: 0, fetch: () => Response.json(keys, { status }) })
  })
  afterAll(() => server.stop(0))
  const jwksUrl = () => `http://127.0.0.1:${server.port}/keys`
  /** A provider with a new key, published unless it is not. */
  async function provider(alg: string, kid: string) {
    const { publicKey, privateKey } = await generateKeyPair(alg)
    const token = new SignJWT(good).setProtectedHeader({ alg, kid }).sign(privateKey)
    return { token: await token, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
  }

  test('each kind of key a provider may have', async () => {
    for (const alg of ['ES256', 'EdDSA', 'RS256']) {
      const { token, jwk } = await provider(alg, 'k1')
      keys = { keys: [jwk] }
      expect(await asker({ jwksUrl: jwksUrl() })(token)).toBe('customer 17')
    }
  })

  test('a key that is not published, and the public key taken for a shared secret', async () => {
    const [known, unknown] = [await provider('ES256', 'k1'), await provider('ES256', 'k2')]
    keys = { keys: [known.jwk] }
    const ask = asker({ jwksUrl: jwksUrl() })
    expect(await ask(unknown.token)).toBe('session_invalid')
    expect(await ask(await sign(good, JSON.stringify(known.jwk)))).toBe('session_invalid')
    expect(await ask(known.token)).toBe('customer 17')
  })

  test('a provider that is away or broken is `unavailable`, not the fault of the buyer', async () => {
    const { token, jwk } = await provider('ES256', 'k1')
    for (const [broken, code] of [
      [{ nothing: true }, 200],
      [{ keys: [jwk] }, 500],
    ] as const) {
      ;[keys, status] = [broken, code]
      expect(await asker({ jwksUrl: jwksUrl() })(token)).toBe('unavailable')
    }
    expect(await asker({ jwksUrl: 'http://127.0.0.1:1/keys' })(token)).toBe('unavailable')
    ;[keys, status] = [{ keys: [jwk] }, 200]
    expect(await asker({ jwksUrl: jwksUrl() })(token)).toBe('customer 17')
  })
})
