/** Webhooks signed as PayPal signs them: RSA over transmission id, time, webhook id and the body's CRC-32. */
import { randomUUID, sign } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { SigningKey } from './certificate.ts'
import type { WebhookEvent } from './types.ts'
import { isoTime } from './work.ts'

export interface Transmission {
  readonly key: SigningKey
  readonly certUrl: string
  readonly webhookId: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

export function transmissionHeaders(body: string, { key, certUrl, webhookId, now }: Transmission) {
  const id = randomUUID()
  const time = isoTime(now)
  const message = [id, time, webhookId, crc32(body)].join('|')
  return {
    'content-type': 'application/json',
    'user-agent': 'PayPal/AUHD-214.0-58843069',
    'paypal-auth-algo': 'SHA256withRSA',
    'paypal-auth-version': 'v2',
    'paypal-cert-url': certUrl,
    'paypal-transmission-id': id,
    'paypal-transmission-time': time,
    'paypal-transmission-sig': sign('sha256', Buffer.from(message), key.privateKey).toString('base64'),
  }
}

/** The request of one delivery. */
export function signedEvent(event: WebhookEvent, transmission: Transmission) {
  const body = JSON.stringify(event.wire)
  return { body, headers: transmissionHeaders(body, transmission) }
}
