import { randomUUID } from 'node:crypto'
import type { Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from 'jose'
import type { UserId } from '../contracts/ids.ts'
import type { Clock } from '../platform/clock.ts'
import type { Config, Secrets } from '../platform/config.ts'
import { Problem } from '../platform/errors.ts'
import type { AppEnv } from '../platform/http.ts'
import type { Identity } from '../platform/identity.ts'
import { createTokens } from '../platform/tokens.ts'

const COOKIE = '__Host-session'
/** With `AUTH=jwt`: where the identity token travels, since `Authorization` carries the pass of a claim. */
const USER_TOKEN_HEADER = 'x-user-token'
const SESSION_S = 30 * 24 * 3600

export interface IdentityParts {
  readonly auth: Config['auth']
  readonly secrets: Pick<Secrets, 'session' | 'jwtKey'>
  /** Own origin: a state change that a browser sends from another one is refused. */
  readonly origin: string
  readonly clock: Clock
}

export function createIdentity({ auth, secrets, origin, clock }: IdentityParts): Identity {
  const read = auth.kind === 'guest' ? guests(secrets.session, clock) : provider(auth, secrets.jwtKey)
  const checked = (create: boolean) => (c: Context<AppEnv>) => {
    const from = c.req.header('origin')
    if (c.req.method !== 'GET' && from !== undefined && from !== origin)
      throw new Problem('origin_refused', `Requests that change something must come from ${origin}.`)
    return read(c, create)
  }
  return { user: checked(true), known: checked(false) }
}

type Reader = (c: Context<AppEnv>, create: boolean) => Promise<UserId>

/** A signed cookie with a UUID. `__Host-`: never from a subdomain, never over plain HTTP outside localhost. */
function guests(secret: Buffer, clock: Clock): Reader {
  const tokens = createTokens([{ kid: 'session', secret }])
  return async (c, create) => {
    const cookie = getCookie(c, COOKIE)
    const iat = Math.floor(clock.now() / 1000)
    if (cookie !== undefined) {
      const verified = tokens.verify<{ sub: UserId }>('session', cookie, iat)
      if (verified.kind === 'valid') return verified.claims.sub
    }
    if (!create) throw new Problem(cookie === undefined ? 'session_missing' : 'session_invalid')
    const sub = randomUUID()
    const session = tokens.sign('session', { aud: 'shop', iat, exp: iat + SESSION_S, sub })
    setCookie(c, COOKIE, session, {
      path: '/',
      secure: true,
      httpOnly: true,
      sameSite: 'Lax',
      maxAge: SESSION_S,
    })
    return sub
  }
}

/** The shop's own identity provider; `sub` is the buyer. */
function provider(auth: Extract<Config['auth'], { kind: 'jwt' }>, sharedKey: string | undefined): Reader {
  const options = {
    ...(auth.issuer === undefined ? {} : { issuer: auth.issuer }),
    ...(auth.audience === undefined ? {} : { audience: auth.audience }),
  }
  const verify =
    auth.jwksUrl === undefined
      ? (token: string) =>
          jwtVerify(token, new TextEncoder().encode(sharedKey), { ...options, algorithms: ['HS256'] })
      : remote(createRemoteJWKSet(new URL(auth.jwksUrl)), options)
  return async (c) => {
    const token = c.req.header(USER_TOKEN_HEADER)
    if (token === undefined)
      throw new Problem('session_missing', `Sign in, and send the token in ${USER_TOKEN_HEADER}.`)
    try {
      const { payload } = await verify(token)
      if (payload.sub === undefined || payload.sub.length > 200)
        throw new Problem('session_invalid', 'no usable `sub`')
      return payload.sub
    } catch (error) {
      if (error instanceof errors.JOSEError) throw new Problem('session_invalid', 'Sign in again.')
      throw error
    }
  }
}

function remote(keys: JWTVerifyGetKey, options: { issuer?: string; audience?: string }) {
  return (token: string) =>
    jwtVerify(token, keys, { ...options, algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'] })
}
