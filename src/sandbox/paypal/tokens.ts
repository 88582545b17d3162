/** OAuth 2.0 client credentials: the keys buy tokens that end. In memory: a restart ends them all. */
import { randomBytes, timingSafeEqual } from 'node:crypto'

export interface Credentials {
  readonly clientId: string
  readonly clientSecret: string
}

export class Tokens {
  private readonly ends = new Map<string, number>()
  private readonly credentials: Credentials
  private readonly lifetimeS: number

  constructor(credentials: Credentials, lifetimeS: number) {
    this.credentials = credentials
    this.lifetimeS = lifetimeS
  }

  /** Undefined: these are not the keys. `now` in ms. */
  issue(authorization: string | null, now: number) {
    const [scheme = '', encoded = ''] = (authorization ?? '').split(' ')
    const { clientId, clientSecret } = this.credentials
    const given = Buffer.from(encoded, 'base64')
    const expected = Buffer.from(`${clientId}:${clientSecret}`)
    if (
      scheme.toLowerCase() !== 'basic' ||
      given.length !== expected.length ||
      !timingSafeEqual(given, expected)
    )
      return undefined
    const access_token = `A21AA${randomBytes(32).toString('base64url')}`
    this.ends.set(access_token, now + this.lifetimeS * 1000)
    return {
      scope: 'https://uri.paypal.com/services/payments/payment/authcapture',
      access_token,
      token_type: 'Bearer',
      app_id: 'APP-SANDBOX',
      expires_in: this.lifetimeS,
      nonce: new Date(now).toISOString(),
    }
  }

  valid(authorization: string | null, now: number): boolean {
    const [scheme = '', token = ''] = (authorization ?? '').split(' ')
    return scheme.toLowerCase() === 'bearer' && (this.ends.get(token) ?? 0) > now
  }

  /** Takes every token back, as PayPal may at any time. */
  revoke(): void {
    this.ends.clear()
  }
}
