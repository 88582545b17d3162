/** Who is calling: the merchant's server by its secret key, or a browser by the publishable key. */
import { timingSafeEqual } from 'node:crypto'
import { unauthorised } from './errors.ts'
import type { Caller } from './render.ts'

export interface Keys {
  secretKey: string
  publishableKey: string
}

/**
 * Reads `Authorization: Bearer`, basic authentication with the key as user, or the `key` parameter browsers use.
 * @throws StripeFailure 401
 */
export function authenticate(
  authorization: string | null,
  keyParameter: string | undefined,
  keys: Keys,
): Caller {
  const key = fromHeader(authorization) ?? keyParameter
  if (!key) {
    throw unauthorised(
      "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
    )
  }
  if (same(key, keys.secretKey)) return 'secret'
  if (same(key, keys.publishableKey)) return 'publishable'
  throw unauthorised(`Invalid API Key provided: ${key.slice(0, 8)}****${key.slice(-4)}`)
}

export function requireSecret(caller: Caller): void {
  if (caller === 'secret') return
  throw unauthorised(
    'This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.',
    'secret_key_required',
  )
}

function fromHeader(authorization: string | null): string | undefined {
  const [scheme = '', value = ''] = (authorization ?? '').split(' ')
  if (scheme.toLowerCase() === 'bearer') return value
  if (scheme.toLowerCase() !== 'basic') return undefined
  return Buffer.from(value, 'base64').toString('utf8').split(':')[0]
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
