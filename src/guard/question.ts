import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { type Language, LANGUAGES, type Say } from '../contracts/words/say.ts'
import type { Clock } from '../platform/clock.ts'
import type { Captcha } from './captcha.ts'
import { deviceHash, type ProofOfWork } from './proof-of-work.ts'
import { drawQuestion, normalise } from './questions.ts'
import type { Burner, Nonces } from './single-use.ts'

const Payload = z.strictObject({
  /** MAC of the answer: without our key it can not be told from the token. */
  answer: z.string(),
  device: z.string(),
  expires_at: z.number(),
  /** The answer is in the language of the question. */
  language: z.enum(LANGUAGES),
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  /** Nonce of the proof of work beside it; absent where there is none. */
  proof: z.string().optional(),
  sale: z.string(),
})
type Payload = z.infer<typeof Payload>

/** Time to read, think, type, and let the browser work. */
const LIFETIME_S = 300

/**
 * The step-up that needs nobody else: a short question in plain text, and more proof of work. It works offline, in a
 * screen reader and by keyboard. It stops scripts written for the form, and makes each further place cost seconds of
 * computing; it does not stop a language model, as picture puzzles no longer do either. A shop that wants more names
 * a provider. The token is signed, bound to sale and device, and used up by the first answer, right or wrong.
 */
export function questionCaptcha(parts: {
  readonly secret: Buffer
  readonly speakers: Readonly<Record<Language, Say>>
  readonly clock: Clock
  readonly nonces: Nonces
  readonly burn: Burner
  readonly proofOfWork: ProofOfWork
}): Captcha {
  const { secret, speakers, clock, nonces, burn, proofOfWork } = parts
  const mac = (what: string, text: string) =>
    createHmac('sha256', secret).update(`guard question ${what} ${text}`).digest('base64url')
  const answerMac = (nonce: string, answer: string) => mac(`answer ${nonce}`, answer)
  // 16 random bits over a handful of choices: even enough for a quiz.
  const pick = (below: number) => nonces.draw(2).readUInt16BE(0) % below

  const read = (token: string | undefined): Payload | undefined => {
    const [encoded, signature, ...rest] = token?.split('.') ?? []
    if (encoded === undefined || signature === undefined || rest.length > 0) return undefined
    if (!equal(signature, mac('token', encoded))) return undefined
    return Payload.parse(JSON.parse(Buffer.from(encoded, 'base64url').toString()))
  }

  return {
    issue: ({ sale, device, hashes, language }) => {
      const { question, answer } = drawQuestion(speakers[language], pick)
      const nonce = nonces.next(sale)
      const proof =
        hashes > 0 ? proofOfWork.create({ sale, device, hashes, lifetime_s: LIFETIME_S }) : undefined
      const payload: Payload = {
        answer: answerMac(nonce, answer),
        device: deviceHash(device),
        expires_at: clock.now() + LIFETIME_S * 1000,
        language,
        nonce,
        ...(proof === undefined ? {} : { proof: proof.parameters.nonce }),
        sale,
      }
      const encoded = Buffer.from(JSON.stringify(payload)).toString('base64url')
      return {
        kind: 'question',
        question,
        token: `${encoded}.${mac('token', encoded)}`,
        ...(proof === undefined ? {} : { proof }),
      }
    },

    verify: async ({ sale, device, hashes, answer }) => {
      const failed = (detail: string) => ({ kind: 'failed', detail }) as const
      const payload = read(answer.token)
      if (payload === undefined || payload.sale !== sale || payload.device !== deviceHash(device))
        return failed('This answer belongs to another question.')
      if (payload.expires_at < clock.now()) return failed('That took too long. Here is another question.')
      if (hashes > 0) {
        const check = proofOfWork.check({ sale, device, payload: answer.solution })
        if (check.kind !== 'valid' || check.proof.nonce !== payload.proof)
          return failed('The work beside the question is not done.')
      }
      try {
        // Used up before it is compared: nobody tries answers one after another.
        const burnt = await burn(sale, payload.nonce, payload.expires_at)
        if (burnt === 'used') return failed('This question was answered before.')
      } catch (error) {
        return { kind: 'unavailable', detail: error instanceof Error ? error.message : String(error) }
      }
      return equal(
        payload.answer,
        answerMac(payload.nonce, normalise(speakers[payload.language], answer.response)),
      )
        ? { kind: 'passed' }
        : failed('That was not the answer. Here is another question.')
    },
  }
}

function equal(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
