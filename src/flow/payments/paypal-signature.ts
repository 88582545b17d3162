/**
 * The signature of PayPal's webhooks: RSA-SHA256 over `transmission id|time|webhook id|CRC-32 of the body`, with a
 * certificate that PayPal serves. Checked here; docs/decisions says why not by PayPal's API, and why a message that
 * passes is a hint and no more.
 */
import { verify, X509Certificate } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { ProviderUnavailable } from './provider.ts'
import type { WebhookReading } from './provider.ts'

export type SignatureVerdict = 'genuine' | Extract<WebhookReading, { kind: 'invalid' }>['reason']

export interface PaypalSignatureOptions {
  /** The id of the webhook, as PayPal's dashboard shows it. */
  webhookId: string
  apiUrl: string
  timeoutMs: number
}

const TOLERANCE_S = 300
const CERT_PATH = /\/v1\/notifications\/certs\/[\w-]{1,100}$/
/** PayPal has few certificates at a time; a stranger can not make us keep many. */
const KEPT = 8

export function createSignatureCheck({ webhookId, apiUrl, timeoutMs }: PaypalSignatureOptions) {
  const trusted = certificateOrigins(apiUrl)
  const kept = new Map<string, Promise<X509Certificate | undefined>>()

  /**
   * A trusted origin is what makes it PayPal's; undefined where that knows no such certificate. Throws
   * ProviderUnavailable where it can not be had.
   */
  const certificateAt = (address: string): Promise<X509Certificate | undefined> => {
    const known = kept.get(address)
    if (known !== undefined) return known
    const asked = fetch(address, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) })
      .then(async (response) => {
        if (response.status >= 400 && response.status < 500) return undefined
        if (!response.ok) throw new Error(`${response.status}`)
        return new X509Certificate(await response.text())
      })
      .catch((error: unknown) => {
        kept.delete(address)
        throw new ProviderUnavailable('paypal', 'the certificate of a webhook can not be had', error)
      })
    const [oldest] = kept.keys()
    if (kept.size >= KEPT && oldest !== undefined) kept.delete(oldest)
    kept.set(address, asked)
    return asked
  }

  return async (rawBody: string, headers: Headers, nowS: number): Promise<SignatureVerdict> => {
    const read = (name: string) => headers.get(`paypal-${name}`) ?? ''
    const [id, time, signature] = [
      read('transmission-id'),
      read('transmission-time'),
      read('transmission-sig'),
    ]
    const address = URL.parse(read('cert-url'))
    if (id === '' || time === '' || signature === '' || address === null) return 'no_signature'
    if (read('auth-algo') !== 'SHA256withRSA') return 'bad_signature'
    if (!trusted.has(address.origin) || !CERT_PATH.test(address.pathname) || address.search !== '')
      return 'bad_signature'
    const sentS = Date.parse(time) / 1000
    if (!(Math.abs(nowS - sentS) <= TOLERANCE_S)) return 'too_old'
    const certificate = await certificateAt(address.href)
    if (certificate === undefined) return 'bad_signature'
    if (!(validTime(certificate.validFrom) <= nowS && nowS < validTime(certificate.validTo)))
      return 'bad_signature'
    const message = Buffer.from([id, time, webhookId, crc32(rawBody)].join('|'))
    return verify('sha256', message, certificate.publicKey, Buffer.from(signature, 'base64'))
      ? 'genuine'
      : 'bad_signature'
  }
}

const validTime = (text: string) => Date.parse(text) / 1000

/** Live certificates come from live PayPal, sandbox ones from its sandbox, and those of a stand-in from itself. */
function certificateOrigins(apiUrl: string): ReadonlySet<string> {
  const { origin, hostname } = new URL(apiUrl)
  const [, sandbox = ''] = /^api(?:-m)?\.(sandbox\.)?paypal\.com$/.exec(hostname) ?? [undefined, undefined]
  return hostname.endsWith('.paypal.com')
    ? new Set([`https://api.${sandbox}paypal.com`, `https://api-m.${sandbox}paypal.com`])
    : new Set([origin])
}
