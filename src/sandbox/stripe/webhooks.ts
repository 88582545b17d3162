/** Webhooks signed as Stripe signs them. */
import { createHmac } from 'node:crypto'
import type { Event } from './types.ts'

/** `Stripe-Signature` of a payload: HMAC-SHA256 of `t.payload` in hexadecimal. `timestamp` in seconds. */
export function signatureHeader(payload: string, secret: string, timestamp: number): string {
  const signature = createHmac('sha256', secret).update(`${timestamp}.${payload}`, 'utf8').digest('hex')
  return `t=${timestamp},v1=${signature}`
}

/** The request of one delivery. `now` in milliseconds. */
export function signedEvent(event: Event, secret: string, now: number) {
  const body = JSON.stringify(event, null, 2)
  return {
    body,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'stripe-signature': signatureHeader(body, secret, Math.floor(now / 1000)),
      'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
    },
  }
}
