import { randomUUID } from 'node:crypto'
import { parse, serialize } from 'hono/utils/cookie'
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'
import { Email } from '../contracts/http.ts'
import type { UserId } from '../contracts/ids.ts'
import type { Asker } from '../platform/asker.ts'
import type { Clock } from '../platform/clock.ts'
import type { Config, Secrets } from '../platform/config.ts'
import { ownCookie } from '../platform/cookies.ts'
import { Problem, Unavailable } from '../platform/errors.ts'
import type { Identity } from '../platform/identity.ts'
import { createTokens } from '../platform/tokens.ts'

const COOKIE = '__Host-session'
/** With `AUTH=jwt`: where the identity token travels, since `Authorization` carries the pass of a claim. */
const USER_TOKEN_HEADER = 'x-user-token'
const SESSION_S = 30 * 24 * 3600

export interface IdentityParts {
  readonly auth: Config['auth']
  readonly secrets: Pick<Secrets, 'session' | 'jwtKey'>
  readonly clock: Clock
}

export function createIdentity({ auth, secrets, clock }: IdentityParts): Identity {
  const { read, email } =
    auth.kind === 'guest'
      ? { read: guests(secrets.session, clock), email: () => Promise.resolve(undefined) }
      : provider(auth, secrets.jwtKey, clock)
  return { user: (asker) => read(asker, true), known: (asker) => read(asker, false), email }
}

type Jwt = Extract<Config['auth'], { kind: 'jwt' }>
type Reader = (asker: Asker, create: boolean) => Promise<UserId>

/** A signed cookie with a UUID. `__Host-`: never from a subdomain, never over plain HTTP outside localhost. */
function guests(secret: Buffer, clock: Clock): Reader {
  const tokens = createTokens([{ kid: 'session', secret }])
  return async (asker, create) => {
    const cookie = parse(asker.req.header('cookie') ?? '', COOKIE)[COOKIE]
    const iat = Math.floor(clock.now() / 1000)
    if (cookie !== undefined) {
      const verified = tokens.verify<{ sub: UserId }>('session', cookie, iat)
      if (verified.kind === 'valid') return verified.claims.sub
    }
    if (!create) throw new Problem(cookie === undefined ? 'session_missing' : 'session_invalid')
    const sub = randomUUID()
    const session = tokens.sign('session', { aud: 'shop', iat, exp: iat + SESSION_S, sub })
    asker.header('Set-Cookie', serialize(COOKIE, session, ownCookie(SESSION_S)), { append: true })
    return sub
  }
}

/** The shop's own identity provider; `sub` is the buyer. */
function provider(auth: Jwt, sharedKey: string | undefined, clock: Clock) {
  const verify = verifier(auth, sharedKey, clock)
  const read = async (asker: Asker) => {
    const token = asker.req.header(USER_TOKEN_HEADER)
    if (token === undefined)
      throw new Problem('session_missing', `Sign in, and send the token in ${USER_TOKEN_HEADER}.`)
    try {
      const { payload } = await verify(token)
      if (!isBuyer(payload.sub)) throw new Problem('session_invalid', 'no usable `sub`')
      return { sub: payload.sub, email: usableEmail(payload) }
    } catch (error) {
      if (error instanceof Problem) throw error
      if (isFaultOfToken(error)) throw new Problem('session_invalid', 'Sign in again.')
      throw new Unavailable('the identity provider does not give its keys', { cause: error })
    }
  }
  return {
    read: async (asker: Asker) => (await read(asker)).sub,
    email: async (asker: Asker) => (await read(asker)).email,
  }
}

/** Unless the provider says that it is not the buyer's own. */
function usableEmail({ email, email_verified }: JWTPayload): string | undefined {
  return email_verified === false ? undefined : Email.safeParse(email).data
}

function verifier(auth: Jwt, sharedKey: string | undefined, clock: Clock) {
  const options = (algorithms: string[]) => ({
    algorithms,
    currentDate: new Date(clock.now()),
    requiredClaims: ['sub', 'exp'],
    ...(auth.issuer === undefined ? {} : { issuer: auth.issuer }),
    ...(auth.audience === undefined ? {} : { audience: auth.audience }),
  })
  if (auth.jwksUrl === undefined) {
    const key = new TextEncoder().encode(sharedKey)
    return (token: string) => jwtVerify(token, key, options(['HS256']))
  }
  const keys = createRemoteJWKSet(new URL(auth.jwksUrl))
  return (token: string) => jwtVerify(token, keys, options(['RS256', 'PS256', 'ES256', 'EdDSA']))
}

/** It becomes a key in Redis and a text in SQL, which holds no NUL. */
function isBuyer(sub: unknown): sub is UserId {
  return typeof sub === 'string' && sub.isWellFormed() && /^\P{Cc}{1,200}$/u.test(sub)
}

/** Anything else, such as keys that can not be fetched or read, is the provider's. */
function isFaultOfToken(error: unknown): boolean {
  const ofProvider = [errors.JWKSTimeout, errors.JWKSInvalid, errors.JWKInvalid]
  return (
    error instanceof errors.JOSEError &&
    error.code !== errors.JOSEError.code &&
    !ofProvider.some((kind) => error instanceof kind)
  )
}
