import type { CaptchaAnswer, CaptchaChallenge, Challenge } from '../contracts/guard.ts'
import type { SaleId } from '../contracts/ids.ts'
import type { ProblemCode } from '../contracts/problems.ts'
import type { Clock } from '../platform/clock.ts'
import type { RedisConnection } from '../platform/redis.ts'
import type { Captcha } from './captcha.ts'
import type { Risk } from './risk.ts'
import type { GuardSettings } from './settings.ts'
import type { Random } from './single-use.ts'

/** The connection a request came over. */
export interface Client {
  /** Of the socket. */
  readonly address: string | undefined
  readonly headers: Headers
}

export type Refused = {
  readonly kind: 'refused'
  readonly problem: Extract<
    ProblemCode,
    | 'unknown_sale'
    | 'rate_limited'
    | 'proof_missing'
    | 'proof_invalid'
    | 'proof_expired'
    | 'proof_too_weak'
    | 'proof_used'
    | 'captcha_required'
    | 'unavailable'
  >
  /** What exactly was wrong, for metrics: the outcome of a check, or the name of a limit. */
  readonly why: string
  readonly detail: string
  readonly retry_after_s?: number
  /** With `captcha_required`: what to show. */
  readonly captcha?: CaptchaChallenge
}

export interface JoinAttempt {
  readonly sale: SaleId
  readonly device: string
  /** What the browser looks like, if it said; only a signal. */
  readonly fingerprint?: string | undefined
  readonly solution?: unknown
  readonly captcha?: CaptchaAnswer | undefined
  readonly client: Client
  readonly user?: string | undefined
  /** Without JavaScript: a question stands in for the proof of work, behind a small limit of its own. */
  readonly form?: boolean | undefined
}

export type JoinVerdict =
  | { readonly kind: 'ok'; readonly risk: Risk }
  /** To be answered like a real join, with a place that leads nowhere. */
  | { readonly kind: 'decoy'; readonly risk: Risk }
  | Refused

/** The guard's only door. What stands behind it: docs/decisions/0006-proof-of-work.md. */
export interface Guard {
  /** A challenge for one join; harder where the address is suspicious. Needs no Redis, but counts with it. */
  challenge(request: {
    readonly sale: SaleId
    readonly device: string
    readonly client: Client
  }): Promise<{ readonly kind: 'ok'; readonly challenge: Challenge; readonly risk: Risk } | Refused>
  /** Before a new place is given; not for who shows a valid ticket. Without Redis nobody is admitted (`unavailable`). */
  admitJoin(attempt: JoinAttempt): Promise<JoinVerdict>
  /** Before a ticket is exchanged for a pass. */
  enterAllowed(request: {
    readonly sale: SaleId
    readonly ticket: string
    readonly client: Client
  }): Promise<{ readonly kind: 'ok' } | Refused>
  /** After it: those who come when it is their turn are less suspicious. */
  noteEnter(request: { readonly sale: SaleId; readonly client: Client }): Promise<void>
  claimAllowed(request: {
    readonly sale: SaleId
    readonly user: string
    readonly client: Client
  }): Promise<{ readonly kind: 'ok' } | Refused>
  giftCardAllowed(request: {
    readonly sale: SaleId
    readonly user: string
    readonly client: Client
  }): Promise<{ readonly kind: 'ok' } | Refused>
}

export interface GuardParts {
  readonly redis: RedisConnection
  readonly clock: Clock
  /** Fills a buffer; `node:crypto` where it is left out. */
  readonly random?: Random
  /** At least 32 bytes, the same on every node. */
  readonly secret: Buffer
  /** Proxies of ours in front of this server, each of which appends to X-Forwarded-For. 0: the header is not read. */
  readonly trustedProxyHops: number
  /** Undefined: there is no such sale. Called for each request, so it should be cached. */
  readonly settingsOf: (sale: SaleId) => Promise<GuardSettings | undefined>
  /** A provider's step-up instead of the question. The form without JavaScript keeps the question. */
  readonly captcha?: Captcha
  /** Redis is away, or a CAPTCHA provider is; the guard goes on as it can. */
  readonly onError?: (error: unknown) => void
}
