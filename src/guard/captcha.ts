import { z } from 'zod'
import type { CaptchaAnswer, CaptchaChallenge } from '../contracts/guard.ts'
import type { SaleId } from '../contracts/ids.ts'
import type { Language } from '../contracts/words/say.ts'

/** A step-up for visitors of anomalous risk: a provider's widget (here), or a question of our own (question.ts). */
export interface Captcha {
  issue(request: CaptchaRequest): CaptchaChallenge
  /** Never rejects. `unavailable` is no pass: the guard fails closed. */
  verify(
    request: CaptchaRequest & { readonly answer: CaptchaAnswer; readonly ip: string },
  ): Promise<CaptchaOutcome>
}

export interface CaptchaRequest {
  readonly sale: SaleId
  readonly device: string
  /** Expected hashes of the work beside a question; 0 where the visitor's browser runs no scripts. */
  readonly hashes: number
  /** Of a question; a provider's widget asks the browser. */
  readonly language: Language
}

export type CaptchaOutcome =
  | { readonly kind: 'passed' }
  /** `detail` is for the visitor. */
  | { readonly kind: 'failed'; readonly detail: string }
  /** `detail` is for the operator. */
  | { readonly kind: 'unavailable'; readonly detail: string }

export type CaptchaProvider = 'turnstile' | 'hcaptcha' | 'recaptcha'

/** Where the providers' scripts and frames come from; a page that shows a widget must allow them. */
export const CAPTCHA_ORIGINS: Readonly<Record<CaptchaProvider, readonly string[]>> = {
  turnstile: ['https://challenges.cloudflare.com'],
  hcaptcha: ['https://hcaptcha.com', 'https://*.hcaptcha.com'],
  recaptcha: ['https://www.google.com', 'https://www.gstatic.com'],
}

const VERIFY_URLS: Readonly<Record<CaptchaProvider, string>> = {
  turnstile: 'https://challenges.cloudflare.com/turnstile/v0/siteverify',
  hcaptcha: 'https://api.hcaptcha.com/siteverify',
  recaptcha: 'https://www.google.com/recaptcha/api/siteverify',
}

export interface SiteverifyOptions {
  readonly provider: CaptchaProvider
  readonly siteKey: string
  readonly secret: string
  /** Hosts whose widget counts; a token solved on another site does not. */
  readonly hostnames: readonly string[]
  /** The provider's own where it is left out. */
  readonly verifyUrl?: string
  readonly timeoutMs?: number
  /** Below this a provider that scores (reCAPTCHA v3) has not passed. */
  readonly minScore?: number
}

/** The providers' common answer. Turnstile and reCAPTCHA v3 tell the action, reCAPTCHA v3 the score. */
const Answer = z.object({
  success: z.boolean(),
  'error-codes': z.array(z.string()).default([]),
  hostname: z.string().nullish(),
  action: z.string().nullish(),
  score: z.number().nullish(),
})

/** Errors that are about us or the provider, not about the visitor's answer. */
const NOT_THE_VISITOR = /secret|internal-error|bad-request|sitekey|missing-remoteip|not-using-dummy/
const AGAIN = 'The check was not passed. Please try again.'

/** Turnstile, hCaptcha and reCAPTCHA share this form: POST secret and response, and JSON with `success` comes back. */
export function siteverifyCaptcha(options: SiteverifyOptions): Captcha {
  const { provider, siteKey, secret, hostnames, minScore = 0.5, timeoutMs = 3000 } = options
  const verifyUrl = options.verifyUrl ?? VERIFY_URLS[provider]

  const ask = async (response: string, ip: string): Promise<z.infer<typeof Answer>> => {
    const form = new URLSearchParams({ secret, response, sitekey: siteKey })
    if (ip !== 'unknown') form.set('remoteip', ip)
    const reply = await fetch(verifyUrl, {
      method: 'POST',
      body: form,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    // Turnstile and hCaptcha say what was wrong with a token in the body of a 400.
    if (!reply.ok && reply.status !== 400) throw new Error(`${provider} answered ${reply.status}`)
    return Answer.parse(await reply.json())
  }

  return {
    issue: ({ sale }) => ({ kind: 'widget', provider, site_key: siteKey, action: actionOf(sale) }),
    verify: async ({ sale, answer, ip }) => {
      let found: z.infer<typeof Answer>
      try {
        found = await ask(answer.response, ip)
      } catch (error) {
        return { kind: 'unavailable', detail: error instanceof Error ? error.message : String(error) }
      }
      const trouble = found['error-codes'].find((code) => NOT_THE_VISITOR.test(code))
      if (trouble !== undefined) return { kind: 'unavailable', detail: `${provider}: ${trouble}` }
      const fits =
        found.success &&
        hostnames.includes(found.hostname ?? '') &&
        (found.action === undefined || found.action === null || found.action === actionOf(sale)) &&
        (found.score === undefined || found.score === null || found.score >= minScore)
      return fits ? { kind: 'passed' } : { kind: 'failed', detail: AGAIN }
    },
  }
}

/** At most 32 characters of letters, digits and underscores, as the strictest provider wants it. */
const actionOf = (sale: SaleId) => `join_${sale.replaceAll('-', '_')}`.slice(0, 32)
