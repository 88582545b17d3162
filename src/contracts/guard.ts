import { z } from '@hono/zod-openapi'

/** What the guard and a visitor's browser say to each other; the proof of work in the ALTCHA format, version 2. */
const Hex = z.string().regex(/^(?:[0-9a-f]{2})+$/, 'bytes in lower-case hex')

export const Challenge = z
  .object({
    parameters: z.object({
      algorithm: z.literal('SHA-256'),
      cost: z.literal(1),
      data: z.object({
        device: z.string(),
        hashes: z.int().describe('Expected work: hashes to try on average'),
        issued_at: z.int().describe('Milliseconds since the epoch, server clock'),
        sale: z.string(),
      }),
      expiresAt: z.int().describe('Seconds since the epoch'),
      keyLength: z.literal(32),
      keyPrefix: Hex.describe('What the hash of salt, nonce and counter begins with'),
      nonce: Hex,
      salt: Hex,
    }),
    signature: Hex,
  })
  .openapi('Challenge')
export type Challenge = z.infer<typeof Challenge>

/** The counter that was found. `time` is what the client says it took, in ms; nobody relies on it. */
export const Solution = z
  .object({ counter: z.int().nonnegative(), derivedKey: Hex, time: z.number().optional() })
  .openapi('Solution')
export type Solution = z.infer<typeof Solution>

/** What a join carries: a challenge as it came, and its solution. ALTCHA widgets send this object as base64 of JSON. */
export interface ProofPayload {
  readonly challenge: Challenge
  readonly solution: Solution
}

/** A step-up that a visitor of anomalous risk must take. Either a provider's widget, or a question in plain text. */
export const CaptchaChallenge = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('widget'),
      provider: z.enum(['turnstile', 'hcaptcha', 'recaptcha']),
      site_key: z.string(),
      action: z.string().describe('To be handed to the widget where it takes one'),
    }),
    z.object({
      kind: z.literal('question'),
      question: z.string().describe('Plain text, to be shown as text: a screen reader reads it'),
      token: z.string(),
      proof: Challenge.optional().describe('More work, to be solved beside the question'),
    }),
  ])
  .openapi('CaptchaChallenge')
export type CaptchaChallenge = z.infer<typeof CaptchaChallenge>

/** The answer to it. `response` is the widget's token, or the words a person typed. */
export const CaptchaAnswer = z
  .strictObject({
    response: z.string().min(1).max(4096),
    token: z.string().max(2048).optional(),
    solution: z.union([z.string().max(8192), z.record(z.string(), z.unknown())]).optional(),
  })
  .openapi('CaptchaAnswer')
export type CaptchaAnswer = z.infer<typeof CaptchaAnswer>
