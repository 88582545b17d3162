import { createHash, timingSafeEqual } from 'node:crypto'
import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import { createMiddleware } from 'hono/factory'
import { routePath } from 'hono/route'
import { atLeast, type Role } from '../../contracts/operators.ts'
import type { OperatorKey } from '../../platform/config.ts'
import { Problem } from '../../platform/errors.ts'
import type { AppEnv } from '../../platform/http.ts'
import type { Authority } from '../commands.ts'
import { leastRole, mayDo } from '../roles.ts'
import type { Session, Sessions } from './sessions.ts'

/** Who gives a command, and why. */
export type By = (c: Context<AppEnv>, reason: string) => Authority

export const BASE = '/api/operator'
/** `__Host-`: never from a subdomain, never over plain HTTP outside localhost. No script reads it. */
export const SESSION_COOKIE = '__Host-operator'

/** The person behind the request; only where `operatorsOnly` let it through. */
export function operatorOf(c: Context<AppEnv>): string {
  const operator = c.get('operator')
  if (operator === undefined) throw new Problem('operator_only')
  return operator
}

/** Addresses of buyers are for those who have to do with buyers. */
export const maySeeAddresses = (c: Context<AppEnv>): boolean => atLeast(c.get('role') ?? 'viewer', 'operator')

export interface SignInParts {
  /** Of machines, and of people who write scripts. */
  readonly keys: readonly OperatorKey[]
  readonly sessions: Pick<Sessions, 'find'>
  /** Public origin of the console: a browser's commands come from its pages and from nowhere else. */
  readonly origin: string
}

export interface SignIn {
  /** Lets in whoever brings a token or a session whose role is high enough, and notes whose it is. */
  readonly operatorsOnly: ReturnType<typeof createMiddleware<AppEnv>>
  /** The session behind the request. Throws `operator_only` for one that brought a token. */
  readonly sessionOf: (c: Context<AppEnv>) => Session
}

export function createSignIn({ keys, sessions, origin }: SignInParts): SignIn {
  const ownerOf = readTokens(keys)
  const found = new WeakMap<Context<AppEnv>, Session>()

  const whoIs = async (c: Context<AppEnv>): Promise<{ name: string; role: Role } | undefined> => {
    const token = bearerOf(c)
    if (token !== undefined) return ownerOf(token)
    const cookie = getCookie(c, SESSION_COOKIE)
    const session = cookie === undefined ? undefined : await sessions.find(cookie)
    if (session !== undefined) found.set(c, session)
    return session
  }

  const operatorsOnly = createMiddleware<AppEnv>(async (c, next) => {
    const { method } = c.req
    const route = routePath(c, -1).slice(BASE.length)
    const least = leastRole(method, route.replaceAll(/:(\w+)/g, '{$1}'))
    c.header('Cache-Control', 'no-store')
    // A token is brought on purpose; a cookie comes along with whatever page has the request sent.
    if (bearerOf(c) === undefined && !['GET', 'HEAD'].includes(method)) refuseForeign(c, origin)
    if (least !== 'anyone') {
      const who = await whoIs(c)
      if (who === undefined)
        throw new Problem('operator_only', 'Sign in, or send an operator token as Authorization: Bearer.')
      if (least === undefined) throw new Problem('not_found')
      if (!mayDo(who.role, least))
        throw new Problem('role_too_low', `This takes the role ${least}; yours is ${who.role}.`)
      c.set('operator', who.name)
      c.set('role', who.role)
    }
    await next()
  })
  return {
    operatorsOnly,
    sessionOf: (c) => {
      const session = found.get(c)
      if (session === undefined)
        throw new Problem('operator_only', 'Sign in with name and password: a token has no session.')
      return session
    },
  }
}

/** Undefined for other schemes: a proxy in front may ask for a password of its own, which browsers then send by themselves. */
function bearerOf(c: Context<AppEnv>): string | undefined {
  return /^Bearer (.*)$/i.exec(c.req.header('authorization') ?? '')?.[1]
}

function refuseForeign(c: Context<AppEnv>, origin: string): void {
  if (c.req.header('origin') !== origin)
    throw new Problem('origin_refused', `Requests that change something must come from ${origin}.`)
}

/** Every token is compared, in constant time. */
function readTokens(keys: readonly OperatorKey[]) {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const known = keys.map(({ token, ...key }) => ({ ...key, expected: digest(token) }))
  return (token: string) => {
    const given = digest(token)
    const [match] = known.filter(({ expected }) => timingSafeEqual(given, expected))
    return match
  }
}
