import type { TokenKey } from './config.ts'
import { hmacText } from './digest.ts'

/**
 * JWS compact, HS256, synchronous (1-2 µs a check). The header is pinned: only `alg`, `typ` and `kid` exactly as
 * we write them are accepted, so algorithm confusion has nothing to confuse. Times are seconds, as in RFC 7519.
 */
const TYPES = ['ticket', 'pass', 'session', 'receipt'] as const
export type TokenType = (typeof TYPES)[number]

export interface RegisteredClaims {
  /** The sale, or the site for a session. */
  readonly aud: string
  readonly iat: number
  readonly exp: number
}

export type Verified<Claims> =
  | { readonly kind: 'valid'; readonly claims: Claims & RegisteredClaims }
  | { readonly kind: 'expired'; readonly claims: Claims & RegisteredClaims }
  | { readonly kind: 'invalid' }

export interface Tokens {
  sign(type: TokenType, claims: RegisteredClaims & Record<string, unknown>): string
  /** Signature, type and expiry; the caller compares `aud` and its own claims. */
  verify<Claims>(type: TokenType, token: string, nowS: number): Verified<Claims>
  /** What a token says, whoever made it; undefined where it is none. */
  peek<Claims>(token: string): (Partial<Claims> & RegisteredClaims) | undefined
}

/** How far ahead `iat` may lie, for nodes whose clocks differ. */
const SKEW_S = 60

/** The first key signs; every key verifies. */
export function createTokens(keys: readonly TokenKey[]): Tokens {
  const first = keys[0]
  if (first === undefined) throw new Error('no signing key')
  const twin = keys.find(({ kid }, index) => keys.findIndex((one) => one.kid === kid) < index)
  if (twin !== undefined) throw new Error(`two signing keys are named ${twin.kid}`)
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const headerOf = (type: TokenType, key: TokenKey) => encode({ alg: 'HS256', typ: type, kid: key.kid })
  const ofKeys = (type: TokenType) => new Map(keys.map((key) => [headerOf(type, key), key]))
  const headers = new Map(TYPES.map((type) => [type, ofKeys(type)]))
  const beginnings = new Map(TYPES.map((type) => [type, headerOf(type, first)]))
  const mac = (key: TokenKey, input: string) => hmacText(key.secret, input)

  return {
    sign: (type, claims) => {
      const input = `${beginnings.get(type)}.${encode(claims)}`
      return `${input}.${mac(first, input)}`
    },
    verify: <Claims>(type: TokenType, token: string, nowS: number): Verified<Claims> => {
      if (token.length > 2048) return { kind: 'invalid' }
      const [afterHeader, afterPayload] = [token.indexOf('.'), token.lastIndexOf('.')]
      const key = headers.get(type)?.get(token.slice(0, Math.max(0, afterHeader)))
      if (key === undefined || afterPayload === afterHeader) return { kind: 'invalid' }
      // The texts are compared, not the bytes: base64url has several spellings of the same.
      if (!isSame(token.slice(afterPayload + 1), mac(key, token.slice(0, afterPayload))))
        return { kind: 'invalid' }
      const claims = readClaims<Claims>(token.slice(afterHeader + 1, afterPayload))
      if (claims === undefined || claims.iat > nowS + SKEW_S) return { kind: 'invalid' }
      return claims.exp <= nowS ? { kind: 'expired', claims } : { kind: 'valid', claims }
    },
    peek: (token) =>
      token.length > 2048
        ? undefined
        : readClaims(token.slice(token.indexOf('.') + 1, Math.max(0, token.lastIndexOf('.')))),
  }
}

/** Looks at every character, wherever they differ first, so the time it takes says nothing. */
function isSame(given: string, expected: string): boolean {
  if (given.length !== expected.length) return false
  let difference = 0
  for (let at = 0; at < expected.length; at += 1) difference |= given.charCodeAt(at) ^ expected.charCodeAt(at)
  return difference === 0
}

/** Undefined where this is no JSON object with the registered claims: well signed, but not by this code. */
function readClaims<Claims>(payload: string): (Claims & RegisteredClaims) | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const { aud, iat, exp } = claims as Partial<RegisteredClaims>
    const complete = typeof aud === 'string' && Number.isFinite(iat) && Number.isFinite(exp)
    return complete ? (claims as Claims & RegisteredClaims) : undefined
  } catch {
    return undefined
  }
}
