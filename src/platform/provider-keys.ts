import { SettingError } from './errors.ts'

export interface StripeKeys {
  readonly secretKey: string
  readonly publishableKey: string
  readonly webhookSecret: string
  /** Real money moves. */
  readonly live: boolean
}

export interface PaypalKeys {
  readonly clientId: string
  readonly clientSecret: string
  /** The id of the webhook, as PayPal shows it: it is part of what PayPal signs. */
  readonly webhookId: string
  /** Real money moves. */
  readonly live: boolean
}

type Given<Name extends string> = Readonly<Partial<Record<Name, string | undefined>>>

/** Throws SettingError for what is missing. */
export function readStripeKeys(
  e: Given<'STRIPE_SECRET_KEY' | 'STRIPE_PUBLISHABLE_KEY' | 'STRIPE_WEBHOOK_SECRET'>,
): StripeKeys {
  const secretKey = required(e.STRIPE_SECRET_KEY, 'STRIPE_SECRET_KEY', 'the secret key of the account')
  return {
    secretKey,
    // Whatever does not say that it is a test takes real money.
    live: !/^(sk|rk)_test_/.test(secretKey),
    publishableKey: required(e.STRIPE_PUBLISHABLE_KEY, 'STRIPE_PUBLISHABLE_KEY', 'its publishable key'),
    webhookSecret: required(e.STRIPE_WEBHOOK_SECRET, 'STRIPE_WEBHOOK_SECRET', 'of the webhook endpoint'),
  }
}

/** PayPal is optional, but not by half. */
export function readPaypalKeys(
  e: Given<'PAYPAL_CLIENT_ID' | 'PAYPAL_CLIENT_SECRET' | 'PAYPAL_WEBHOOK_ID'> & {
    readonly PAYPAL_API_URL: string
  },
): PaypalKeys | undefined {
  const given = [e.PAYPAL_CLIENT_ID, e.PAYPAL_CLIENT_SECRET, e.PAYPAL_WEBHOOK_ID]
  if (given.every((value) => value === undefined)) return undefined
  const { hostname } = new URL(e.PAYPAL_API_URL)
  return {
    live: hostname.endsWith('paypal.com') && !hostname.includes('.sandbox.'),
    clientId: required(e.PAYPAL_CLIENT_ID, 'PAYPAL_CLIENT_ID', 'of the app at PayPal'),
    clientSecret: required(e.PAYPAL_CLIENT_SECRET, 'PAYPAL_CLIENT_SECRET', 'of the app at PayPal'),
    webhookId: required(e.PAYPAL_WEBHOOK_ID, 'PAYPAL_WEBHOOK_ID', 'of the webhook, as PayPal shows it'),
  }
}

export function required(value: string | undefined, name: string, what: string): string {
  if (value === undefined) throw new SettingError(`${name} is missing: ${what}`)
  return value
}
