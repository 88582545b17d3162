/** The Stripe adapter: PaymentIntents with manual capture. The only file that knows the Stripe SDK. */
import { createHmac } from 'node:crypto'
import Stripe from 'stripe'
import type { Clock } from '../../platform/clock.ts'
import { stripeCardFields } from '../../platform/provider-pages.ts'
import { converge } from './converge.ts'
import type { Answer, Change } from './converge.ts'
import { ProviderRefused, ProviderUnavailable, startKey } from './provider.ts'
import type { PaymentProvider } from './provider.ts'
import { readEvent, toPayment } from './stripe-objects.ts'

export interface StripeOptions {
  secretKey: string
  publishableKey: string
  webhookSecret: string
  /** Base URL of the API without a path: `https://api.stripe.com`, or a local sandbox. */
  apiUrl: string
  /** Where browsers reach the same API, if elsewhere. */
  browserApiUrl?: string
  clock: Clock
  /** Per attempt; default 10 s. */
  timeoutMs?: number
  /** Default 2, with the SDK's own backoff. Safe because every write carries an idempotency key. */
  maxNetworkRetries?: number
}

// What the SDK's types describe. Named here so that an upgrade of the SDK that moves it shows as a type error.
const apiVersion = '2026-10-28.endive'
const webhookToleranceSeconds = 300
const expand = ['latest_charge']

/** Under Bun the SDK ships only an asynchronous HMAC; this one is synchronous everywhere. */
class NodeHmac extends Stripe.CryptoProvider {
  override computeHMACSignature(payload: string, secret: string): string {
    return createHmac('sha256', secret).update(payload, 'utf8').digest('hex')
  }
}

/** @throws Error at once when `apiUrl` is not a plain http(s) origin. */
export function createStripeProvider(options: StripeOptions): PaymentProvider {
  const stripe = new Stripe(options.secretKey, {
    ...baseAddress(options.apiUrl),
    apiVersion,
    timeout: options.timeoutMs ?? 10_000,
    maxNetworkRetries: options.maxNetworkRetries ?? 2,
    // The build that Bun resolves has no other client.
    httpClient: Stripe.createFetchHttpClient(),
    telemetry: false,
  })
  const hmac = new NodeHmac()

  async function retrieve(ref: string): Promise<Stripe.PaymentIntent | undefined> {
    try {
      return await stripe.paymentIntents.retrieve(ref, { expand })
    } catch (error) {
      if (error instanceof Stripe.errors.StripeError && error.code === 'resource_missing') return undefined
      throw translate(error)
    }
  }

  function change(ref: string, plan: Omit<Change, 'provider' | 'request' | 'look'>, call: Call) {
    return converge({
      ...plan,
      provider: 'stripe',
      request: (idempotencyKey) => ask(call(idempotencyKey)),
      look: async () => {
        const intent = await retrieve(ref)
        const charge = intent?.latest_charge
        const authorisation = (typeof charge === 'string' ? charge : charge?.id) ?? 'none'
        return intent && { payment: toPayment(intent), authorisation }
      },
    })
  }

  return {
    name: 'stripe',

    async start(order) {
      const created = await stripe.paymentIntents
        .create(
          {
            amount: order.amount,
            currency: isoCurrency(order.currency),
            description: order.description,
            capture_method: 'manual',
            allowed_payment_method_types: ['card'],
            metadata: { order_id: order.order_id, user_id: order.user_id },
          },
          { idempotencyKey: startKey(order) },
        )
        .catch((error: unknown) => {
          throw translate(error)
        })
      // A replayed answer shows the payment as it was when it was new.
      const intent = isReplay(created) ? await retrieve(created.id) : created
      const { publishableKey, apiUrl, browserApiUrl } = options
      return {
        payment: toPayment(intent ?? created),
        browser: {
          publishable_key: publishableKey,
          client_secret: created.client_secret ?? '',
          api_url: browserApiUrl ?? apiUrl,
          script_url: stripeCardFields(browserApiUrl ?? apiUrl).script,
        },
      }
    },

    async find(ref) {
      const intent = await retrieve(ref)
      return intent && toPayment(intent)
    },

    // The browser has authorised, or nobody has.
    async authorise(ref) {
      const intent = await retrieve(ref)
      if (!intent) throw new ProviderRefused('stripe', 'resource_missing', 'Stripe knows no such payment')
      const payment = toPayment(intent)
      const kinds = { authorised: 'authorised', captured: 'authorised', cancelled: 'declined' } as const
      return {
        kind: payment.state in kinds ? kinds[payment.state as keyof typeof kinds] : 'waiting',
        payment,
      }
    },

    async capture(ref, orderId) {
      const plan: Plan = {
        key: `${orderId}:capture`,
        reached: (payment) => payment.state === 'captured',
        possible: (payment) => payment.state === 'authorised',
      }
      const result = await change(ref, plan, (idempotencyKey) =>
        stripe.paymentIntents.capture(ref, { expand }, { idempotencyKey }),
      )
      const { payment } = result
      return result.done
        ? { kind: 'captured', payment }
        : { kind: 'not_capturable', payment, code: result.code }
    },

    async cancel(ref, orderId) {
      const plan: Plan = {
        key: `${orderId}:cancel`,
        reached: (payment) => payment.state === 'cancelled',
        possible: (payment) => payment.state !== 'captured',
      }
      const { done, payment } = await change(ref, plan, (idempotencyKey) =>
        stripe.paymentIntents.cancel(ref, { expand }, { idempotencyKey }),
      )
      return { kind: done ? 'cancelled' : 'already_captured', payment }
    },

    async refund(ref, orderId, reason) {
      const plan: Plan = {
        key: `${orderId}:refund`,
        reached: (payment) =>
          payment.state === 'captured' && payment.amount_refunded >= payment.amount_received,
        possible: (payment) => payment.state === 'captured',
      }
      const metadata = { order_id: orderId, reason }
      const { done, payment } = await change(ref, plan, (idempotencyKey) =>
        stripe.refunds.create({ payment_intent: ref, metadata }, { idempotencyKey }),
      )
      return { kind: done ? 'refunded' : 'nothing_captured', payment }
    },

    readWebhook(rawBody, headers, nowSeconds = options.clock.now() / 1000) {
      const signature = headers.get('stripe-signature')
      if (!signature) return { kind: 'invalid', reason: 'no_signature' }
      const { webhookSecret } = options
      const now = nowSeconds * 1000
      try {
        return readEvent(
          stripe.webhooks.constructEvent(
            rawBody,
            signature,
            webhookSecret,
            webhookToleranceSeconds,
            hmac,
            now,
          ),
        )
      } catch (error) {
        const unsigned = error instanceof Stripe.errors.StripeSignatureVerificationError
        if (!unsigned) return { kind: 'invalid', reason: 'bad_payload' }
        return { kind: 'invalid', reason: error.message.includes('tolerance') ? 'too_old' : 'bad_signature' }
      }
    },
  }
}

type Plan = Pick<Change, 'key' | 'reached' | 'possible'>
type Call = (idempotencyKey: string) => Promise<Stripe.Response<Stripe.PaymentIntent | Stripe.Refund>>

async function ask(call: ReturnType<Call>): Promise<Answer> {
  try {
    const answer = await call
    const payment = answer.object === 'payment_intent' ? toPayment(answer) : undefined
    return { kind: 'done', payment, stale: isReplay(answer) }
  } catch (error) {
    const replayed =
      error instanceof Stripe.errors.StripeError && error.headers?.['idempotent-replayed'] === 'true'
    // The key was first used with other words, a refund's reason say: what it did is for the payment to tell.
    const reused = error instanceof Stripe.errors.StripeIdempotencyError
    return { kind: 'failed', error: translate(error), stale: replayed || reused }
  }
}

/** The SDK's fetch client leaves a `Headers` object where its types promise a record; this reads both. */
function isReplay(answer: Stripe.Response<object>): boolean {
  return new Headers(answer.lastResponse.headers).get('idempotent-replayed') === 'true'
}

function baseAddress(apiUrl: string): { protocol: 'http' | 'https'; host: string; port: string } {
  const url = new URL(apiUrl)
  if (!/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.username) {
    throw new Error(`The Stripe API address must be a plain http(s) origin, not ${apiUrl}`)
  }
  const protocol = url.protocol === 'http:' ? 'http' : 'https'
  return { protocol, host: url.hostname, port: url.port || (protocol === 'http' ? '80' : '443') }
}

function isoCurrency(currency: string): string {
  if (/^[a-z]{3}$/i.test(currency)) return currency.toLowerCase()
  throw new ProviderRefused('stripe', 'invalid_currency', `Not an ISO 4217 code: ${currency}`)
}

function translate(error: unknown): Error {
  if (!(error instanceof Stripe.errors.StripeError)) {
    return error instanceof Error ? error : new Error('Unknown failure in the Stripe SDK', { cause: error })
  }
  const unknownOutcome =
    error instanceof Stripe.errors.StripeConnectionError ||
    error instanceof Stripe.errors.StripeAPIError ||
    error instanceof Stripe.errors.StripeRateLimitError
  if (unknownOutcome) return new ProviderUnavailable('stripe', error.message, error)
  const code = error.decline_code || error.code || error.rawType || error.type
  return new ProviderRefused('stripe', code, error.message, error)
}
