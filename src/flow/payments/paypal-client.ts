/** PayPal's REST API over `fetch`: a token that is kept and renewed, and errors in the terms of provider.ts. */
import type { Clock } from '../../platform/clock.ts'
import { ProviderRefused, ProviderUnavailable } from './provider.ts'

export interface PaypalClientOptions {
  clientId: string
  clientSecret: string
  /** Base URL without a trailing slash: `https://api-m.paypal.com`, or a local sandbox. */
  apiUrl: string
  clock: Clock
  /** Per request; default 10 s. */
  timeoutMs?: number
}

export interface PaypalRequest {
  method: 'GET' | 'POST'
  path: string
  body?: unknown
  /** PayPal-Request-Id, at most 108 characters: PayPal repeats its answer to a request it has carried out. */
  requestId?: string
}

export interface PaypalClient {
  /**
   * The answer's JSON; undefined where there is none.
   * @throws ProviderUnavailable when the outcome is unknown: no answer, a server error, too many requests.
   * @throws ProviderRefused with PayPal's `issue` as code; `RESOURCE_NOT_FOUND` for what does not exist.
   */
  call(request: PaypalRequest): Promise<unknown>
}

interface Token {
  readonly value: string
  /** By our clock, ms. */
  readonly renewAt: number
}

/** A token is renewed this long before it ends, so that it does not end on the way. */
const RENEW_BEFORE_MS = 60_000

/** @throws Error at once when `apiUrl` is no plain http(s) address. */
export function createPaypalClient(options: PaypalClientOptions): PaypalClient {
  const { clock, timeoutMs = 10_000 } = options
  const base = baseAddress(options.apiUrl)
  const keys = Buffer.from(`${options.clientId}:${options.clientSecret}`).toString('base64')
  let token: Token | undefined
  let asking: Promise<Token> | undefined

  const send = async (path: string, init: RequestInit): Promise<{ status: number; body: unknown }> => {
    try {
      const response = await fetch(base + path, {
        ...init,
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      })
      const text = await response.text()
      return { status: response.status, body: text === '' ? undefined : parse(text) }
    } catch (error) {
      throw new ProviderUnavailable('paypal', 'PayPal does not answer', error)
    }
  }

  const askForToken = async (): Promise<Token> => {
    const asked = clock.now()
    const { status, body } = await send('/v1/oauth2/token', {
      method: 'POST',
      headers: { authorization: `Basic ${keys}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=client_credentials',
    })
    const { access_token, expires_in } = (body ?? {}) as { access_token?: unknown; expires_in?: unknown }
    if (status === 200 && typeof access_token === 'string' && typeof expires_in === 'number')
      return { value: access_token, renewAt: asked + expires_in * 1000 - RENEW_BEFORE_MS }
    throw failure(status, body)
  }

  /** One request for a token at a time, however many wait for it. */
  const validToken = (): Token | Promise<Token> => {
    if (token !== undefined && clock.now() < token.renewAt) return token
    asking ??= askForToken()
      .then((fresh) => (token = fresh))
      .finally(() => (asking = undefined))
    return asking
  }

  const attempt = async ({ method, path, body, requestId }: PaypalRequest, { value }: Token) =>
    send(path, {
      method,
      headers: {
        authorization: `Bearer ${value}`,
        accept: 'application/json',
        ...(method === 'POST' ? { 'content-type': 'application/json', prefer: 'return=representation' } : {}),
        ...(requestId === undefined ? {} : { 'paypal-request-id': requestId }),
      },
      ...(method === 'POST' ? { body: JSON.stringify(body ?? {}) } : {}),
    })

  return {
    call: async (request) => {
      const used = await validToken()
      let answer = await attempt(request, used)
      if (answer.status === 401) {
        // Taken back before its time. Another request may have renewed it meanwhile.
        if (token === used) token = undefined
        answer = await attempt(request, await validToken())
      }
      if (answer.status >= 200 && answer.status < 300) return answer.body
      throw failure(answer.status, answer.body)
    },
  }
}

interface ErrorBody {
  readonly name?: string
  readonly message?: string
  readonly error?: string
  readonly details?: readonly { readonly issue?: string; readonly description?: string }[]
}

function failure(status: number, body: unknown): Error {
  const { name, message, error, details } = (typeof body === 'object' ? (body ?? {}) : {}) as ErrorBody
  const [detail] = details ?? []
  const text = detail?.description ?? message ?? error ?? `PayPal answers ${status}`
  // 409: an earlier request with this id is still under way.
  if (status >= 500 || status === 429 || status === 409 || status < 400)
    return new ProviderUnavailable('paypal', `${status}: ${text}`)
  if (status === 404) return new ProviderRefused('paypal', 'RESOURCE_NOT_FOUND', text)
  return new ProviderRefused('paypal', detail?.issue ?? name ?? error ?? `http_${status}`, text)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A proxy's page, say: the status tells what there is to tell.
    return undefined
  }
}

function baseAddress(apiUrl: string): string {
  const url = new URL(apiUrl)
  if (!/^https?:$/.test(url.protocol) || url.search || url.hash || url.username)
    throw new Error(`The PayPal API address must be a plain http(s) address, not ${apiUrl}`)
  return url.href.replace(/\/$/, '')
}
