import type { SaleId } from '../contracts/ids.ts'
import { languageIn } from '../platform/language.ts'
import { createSpeakers } from '../platform/words.ts'
import { clientAddress, isWithin } from './client-address.ts'
import { oddities } from './headers.ts'
import { createLimits, type LimitOutcome } from './limits.ts'
import { createProofOfWork, type Proof, type ProofCheck } from './proof-of-work.ts'
import { questionCaptcha } from './question.ts'
import { assess, type Risk } from './risk.ts'
import { GuardSettings, type GuardSettingsInput, rememberSettings } from './settings.ts'
import { createSignals } from './signals.ts'
import { createBurner, createNonces } from './single-use.ts'
import type { Client, Guard, GuardParts, JoinAttempt, Refused } from './types.ts'
import { createVisitors, NO_EVIDENCE, type Observation, type Visitor } from './visitors.ts'

export { CAPTCHA_ORIGINS, type Captcha, siteverifyCaptcha, type SiteverifyOptions } from './captcha.ts'
export type { Client, Guard, GuardParts, JoinAttempt, JoinVerdict, Refused } from './types.ts'
export { GuardSettings, type GuardSettingsInput, rememberSettings, type Risk }

const refused = (
  problem: Refused['problem'],
  why: string,
  detail: string,
  more: Partial<Refused> = {},
): Refused => ({
  ...more,
  ...{ kind: 'refused', problem, why, detail },
})
const UNKNOWN_SALE = refused('unknown_sale', 'unknown_sale', 'There is no such sale.')

export function createGuard(parts: GuardParts): Guard {
  const { redis, clock, secret, trustedProxyHops, settingsOf, onError = () => undefined } = parts
  if (secret.length < 32) throw new RangeError('the secret of the guard needs at least 32 bytes')
  const nonces = createNonces(clock, parts.random)
  const burn = createBurner(redis, clock)
  const proofOfWork = createProofOfWork({ secret, clock, nonces })
  const question = questionCaptcha({ secret, speakers: createSpeakers(), clock, nonces, burn, proofOfWork })
  const visitors = createVisitors({
    signals: createSignals({ redis, clock, key: secret.toString('hex'), onError }),
    limits: createLimits({ redis, clock, secret, onError }),
  })

  type Known = Pick<Visitor, 'device' | 'fingerprint' | 'user' | 'ticket'>
  const visitorOf = async (sale: SaleId, from: Client, known: Known = {}): Promise<Visitor | undefined> => {
    const settings = await settingsOf(sale)
    return settings && visitorIn(sale, settings, from, known)
  }
  const visitorIn = (sale: SaleId, settings: GuardSettings, from: Client, known: Known): Visitor => {
    const client = clientAddress(from, from.headers.get('x-forwarded-for') ?? undefined, trustedProxyHops)
    return { ...known, sale, settings, client, exempt: isWithin(client, settings.exempt_networks) }
  }

  const assessVisitor = (visitor: Visitor, from: Client, seen: Observation['evidence'], work?: Proof): Risk =>
    assess(
      visitor.exempt
        ? NO_EVIDENCE
        : { ...seen, oddities: oddities(from.headers), ...(work === undefined ? {} : { work }) },
      visitor.settings.risk,
    )

  const retryLater = (why: string): Refused =>
    refused('unavailable', why, 'Please try again in a few seconds.', {
      // Spread, so that those who were refused together do not come back together.
      retry_after_s: 1 + (nonces.draw(1)[0] ?? 0) / 64,
    })

  /** The step-up: undefined once it is passed. */
  const stepUp = async (visitor: Visitor, attempt: JoinAttempt): Promise<Refused | undefined> => {
    const { sale, device, captcha: answer, form = false } = attempt
    const language = languageIn(attempt.client.headers)
    const { proof_of_work } = visitor.settings
    const check = form ? question : (parts.captcha ?? question)
    const hashes = form || !proof_of_work.on ? 0 : proof_of_work.captcha_hashes
    const again = (why: string, detail: string) =>
      refused('captcha_required', why, detail, { captcha: check.issue({ sale, device, hashes, language }) })
    if (answer === undefined) return again('captcha_missing', 'Please answer this before you join.')
    const outcome = await check.verify({ sale, device, hashes, language, answer, ip: visitor.client.ip })
    if (outcome.kind === 'passed') return undefined
    if (outcome.kind === 'failed') return again('captcha_failed', outcome.detail)
    onError(new Error(`captcha: ${outcome.detail}`))
    return retryLater('captcha_unavailable')
  }

  /** Limits alone, for requests that come after the join. */
  const allowed = async (action: 'enter' | 'claim' | 'gift', sale: SaleId, from: Client, known: Known) => {
    const settings = await settingsOf(sale)
    if (settings === undefined) return UNKNOWN_SALE
    if (!settings.limits.on) return { kind: 'ok' } as const
    const visitor = visitorIn(sale, settings, from, known)
    const blocked = visitors.blocked(visitor, action)
    if (blocked.kind === 'limited') return tooMany(blocked)
    const { limit } = await visitors.observe(visitor, action)
    return limit.kind === 'limited' ? tooMany(limit) : ({ kind: 'ok' } as const)
  }

  return {
    challenge: async ({ sale, device, client }) => {
      const visitor = await visitorOf(sale, client, { device })
      if (visitor === undefined) return UNKNOWN_SALE
      const blocked = visitors.blocked(visitor, 'challenge')
      if (blocked.kind === 'limited') return tooMany(blocked)
      const { limit, evidence } = await visitors.observe(visitor, 'challenge')
      if (limit.kind === 'limited') return tooMany(limit)
      const { on, hashes, raised_hashes, lifetime_s } = visitor.settings.proof_of_work
      const risk = assessVisitor(visitor, client, evidence)
      const wanted = risk.level === 'low' ? hashes : Math.max(hashes, raised_hashes)
      const challenge = proofOfWork.create({ sale, device, hashes: on ? wanted : 1, lifetime_s })
      return { kind: 'ok', challenge, risk }
    },

    admitJoin: async (attempt) => {
      const { sale, device, fingerprint, user, client, solution, form = false } = attempt
      const visitor = await visitorOf(sale, client, { device, fingerprint, user })
      if (visitor === undefined) return UNKNOWN_SALE
      const { proof_of_work, captcha, decoy } = visitor.settings
      const action = form ? 'form' : 'join'
      const blocked = visitors.blocked(visitor, action)
      if (blocked.kind === 'limited') return tooMany(blocked)

      let proof: Proof | undefined
      if (proof_of_work.on && !form) {
        const check = proofOfWork.check({ sale, device, payload: solution })
        if (check.kind !== 'valid') return unproven(check.kind)
        proof = check.proof
      }
      const { limit, evidence } = await visitors.observe(visitor, action)
      if (limit.kind === 'limited') return tooMany(limit)

      const risk = assessVisitor(visitor, client, evidence, proof)
      const isDecoyed = risk.level === 'bot' && decoy.on
      const isAnomalous = risk.level === 'bot' || risk.level === 'anomalous'
      if (!isDecoyed && captcha.on && (form || isAnomalous)) {
        const refusal = await stepUp(visitor, attempt)
        if (refusal !== undefined) return refusal
      } else if (!isDecoyed && proof !== undefined && risk.level !== 'low') {
        if (proof.hashes < Math.max(proof_of_work.hashes, proof_of_work.raised_hashes))
          return refused('proof_too_weak', 'too_weak', 'Fetch a new challenge and solve that one.')
      }

      // Last, so that whoever was refused above can come again with the same solution.
      if (proof !== undefined) {
        try {
          const burnt = await burn(sale, proof.nonce, proof.expires_at)
          if (burnt === 'used')
            return refused('proof_used', 'used', 'Fetch a new challenge; each one is good for one join.')
        } catch (error) {
          onError(error)
          return retryLater('burn_failed')
        }
      }
      return { kind: isDecoyed ? 'decoy' : 'ok', risk }
    },

    enterAllowed: ({ sale, ticket, client }) => allowed('enter', sale, client, { ticket }),
    claimAllowed: ({ sale, user, client }) => allowed('claim', sale, client, { user }),
    giftCardAllowed: ({ sale, user, client }) => allowed('gift', sale, client, { user }),
    noteEnter: async ({ sale, client }) => {
      const visitor = await visitorOf(sale, client)
      if (visitor !== undefined) await visitors.noteEntered(visitor)
    },
  }
}

function tooMany({ limit, retry_after_s }: Extract<LimitOutcome, { kind: 'limited' }>): Refused {
  return refused('rate_limited', limit, `Please wait ${retry_after_s} s before you try again.`, {
    retry_after_s,
  })
}

function unproven(kind: Exclude<ProofCheck['kind'], 'valid'>): Refused {
  if (kind === 'missing')
    return refused('proof_missing', kind, 'Fetch a challenge, solve it, and send it as `solution`.')
  if (kind === 'expired') return refused('proof_expired', kind, 'Fetch a new challenge and solve that one.')
  return refused('proof_invalid', kind, 'Fetch a challenge for this sale and device, and send it as solved.')
}
