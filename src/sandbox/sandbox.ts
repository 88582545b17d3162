/** Stand-ins of all payment providers behind one port: Stripe's at the root, PayPal's below `/paypal`. */
import { join } from 'node:path'
import type { Clock } from '../platform/clock.ts'
import type { Config, Secrets } from '../platform/config.ts'
import { createPaypalSandbox } from './paypal/sandbox.ts'
import { createStripeSandbox } from './stripe/sandbox.ts'

export const PAYPAL_PATH = '/paypal'

/** Keeps its journals in the data folder. PayPal's is left out where its keys are not set. */
export function createSandboxes({ dataDir, sandbox, paypal }: Config, secrets: Secrets, clock: Clock) {
  const stripeLike = createStripeSandbox({
    ...secrets.stripe,
    webhookUrl: sandbox.webhookUrl,
    dataDir: join(dataDir, 'stripe-sandbox'),
    clock,
  })
  const local = new URL(paypal.apiUrl).pathname === PAYPAL_PATH
  const paypalLike =
    secrets.paypal === undefined || !local
      ? undefined
      : createPaypalSandbox({
          ...secrets.paypal,
          url: paypal.apiUrl,
          webhookUrl: sandbox.paypalWebhookUrl,
          dataDir: join(dataDir, 'paypal-sandbox'),
          clock,
        })
  return {
    fetch: (request: Request): Promise<Response> => {
      const { pathname } = new URL(request.url)
      const toPaypal = paypalLike !== undefined && pathname.startsWith(`${PAYPAL_PATH}/`)
      return toPaypal ? paypalLike.fetch(request) : stripeLike.fetch(request)
    },
    close: async () => {
      await Promise.all([stripeLike.close(), paypalLike?.close()])
    },
  }
}
