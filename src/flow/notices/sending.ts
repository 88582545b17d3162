import { createBackoff } from '../../platform/backoff.ts'
import type { Clock } from '../../platform/clock.ts'
import type { MailOutcome, MailServer } from '../../platform/mail.ts'
import type { Database, Shards } from '../../platform/postgres.ts'
import { untilAborted } from '../../platform/shutdown.ts'
import type { Log } from '../../platform/telemetry.ts'
import type { Compose } from './mails/compose.ts'
import {
  markSent,
  type NoticeKind,
  planNotices,
  putBack,
  selectGiftCard,
  selectTold,
  takeDue,
  type Taken,
  type Told,
} from './sql.ts'

/** Times in seconds. */
export interface SendingPolicy {
  /** Between two rounds when all is well. */
  readonly everyS: number
  /** How long a notice is ours: longer than any attempt takes. */
  readonly leaseS: number
  /** The wait after a first failed attempt, doubling up to `maxRetryS`, each time half of it by chance. */
  readonly firstRetryS: number
  readonly maxRetryS: number
  /** Then it is dead, for the operator to see. With the waits above a mail server may be away for a day. */
  readonly maxAttempts: number
  /** What ended longer ago is told no more. */
  readonly freshS: number
}

const POLICY: SendingPolicy = {
  everyS: 2,
  leaseS: 120,
  firstRetryS: 5,
  maxRetryS: 3600,
  maxAttempts: 40,
  freshS: 7 * 24 * 3600,
}
/** Notices written down with one statement, and mails under way at once, per shard. */
const PLAN = 500
const AT_ONCE = 4
/** How long the end of the process waits for mails under way; those that it leaves behind are sent again. */
const GRACE_MS = 400
/** How often one order's mail may be tried because its buyer gave another address. */
export const CORRECTIONS = 5
/** Between two rounds while the mail server is away. */
const MOST_REST_MS = 60_000

/** What one round did. `trouble`: the mail server, or a shard, did not do as it should. */
export interface Round {
  readonly sent: number
  readonly trouble: boolean
}

export interface SendingParts {
  readonly shards: Shards
  readonly mail: MailServer | undefined
  readonly compose: Compose
  readonly shopUrl: string
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly policy?: Partial<SendingPolicy>
}

/** Whether what a notice says is so now. */
function isTrue(kind: NoticeKind, told: Told): boolean {
  return kind === 'pay_again' ? told.status === 'PAID' && told.lost : told.kind === kind
}

/**
 * Derived, not pushed: whoever ends an order knows nothing of mails. A notice is taken under a lease, sent, and marked;
 * a crash in between sends it again when the lease is over, under the same Message-ID.
 */
export function createSending(parts: SendingParts) {
  const { shards, compose, clock, random, log } = parts
  const policy = { ...POLICY, ...parts.policy }
  const host = new URL(parts.shopUrl).hostname

  /** After so many attempts. */
  const waitS = (attempts: number) =>
    Math.min(policy.maxRetryS, policy.firstRetryS * 2 ** (attempts - 1)) * (0.5 + random() / 2)

  const sendOne = async (mail: MailServer, taken: Taken) => {
    const { user_id, order_id, kind, attempts } = taken
    // Not where it was taken: it may have been moved since.
    const shard = shards.of(user_id)
    const told = await selectTold(shard, user_id, order_id)
    // Withdrawn, too old, or overtaken: nobody is told "it is yours" of what has been cancelled since.
    const email = told?.email ?? undefined
    if (told === undefined || email === undefined || !isTrue(kind, told)) {
      const code = email === undefined ? 'no address' : 'overtaken'
      await putBack(shard, taken, { state: 'obsolete', code })
      return 'obsolete'
    }
    const card = kind === 'oversold' ? await selectGiftCard(shard, user_id, order_id) : undefined
    const attempt = async (): Promise<MailOutcome> => {
      // No receipt for money that is not there: the buyer may still pay again.
      if (kind === 'paid' && told.lost) return { kind: 'deferred', code: 'payment lost' }
      const words = await compose(order_id, kind, told, card)
      return mail.send({ ...words, to: email, messageId: `${kind}.${order_id}@${host}`, date: clock.now() })
    }
    const outcome = await attempt().catch((error: unknown): MailOutcome => {
      log.error({ err: error, order_id, kind }, 'a mail could not be written')
      return { kind: 'deferred', code: 'not written' }
    })
    if (outcome.kind === 'accepted') {
      if (!(await markSent(shard, taken, email, CORRECTIONS)))
        await putBack(shard, taken, { state: 'due', code: 'another address' })
      return 'sent'
    }
    const dead = outcome.kind === 'refused' || attempts >= policy.maxAttempts
    await putBack(shard, taken, {
      state: dead ? 'dead' : 'due',
      code: outcome.code,
      afterS: waitS(attempts),
    })
    const line = { order_id, kind, attempts, code: outcome.code }
    if (dead) log.error(line, 'a mail to a buyer was given up')
    else log.warn(line, 'a mail did not go out; tried again')
    return outcome.kind
  }

  /** Until nothing is due, or the mail server is found to be away: the others need not find that out too. */
  const drain = async (
    shard: Database,
    mail: MailServer,
    signal: AbortSignal | undefined,
  ): Promise<Round> => {
    await planNotices(shard, { freshS: policy.freshS, max: PLAN })
    for (let sent = 0; ;) {
      if (signal?.aborted) return { sent, trouble: false }
      const taken = await takeDue(shard, { leaseS: policy.leaseS, max: AT_ONCE })
      const results = await Promise.all(
        taken.map((one) =>
          sendOne(mail, one).catch((error: unknown) => {
            log.warn({ err: error, order_id: one.order_id, kind: one.kind }, 'telling a buyer failed')
            return 'unavailable' as const
          }),
        ),
      )
      sent += results.filter((result) => result === 'sent').length
      const trouble = results.includes('unavailable')
      if (trouble || taken.length < AT_ONCE) return { sent, trouble }
    }
  }

  const round = async (signal?: AbortSignal): Promise<Round> => {
    const { mail } = parts
    if (mail === undefined) return { sent: 0, trouble: false }
    const rounds = await Promise.all(
      shards.all.map((shard, number) =>
        drain(shard, mail, signal).catch((error: unknown): Round => {
          log.warn({ err: error, shard: number }, 'a shard does not tell what its buyers are to be told')
          return { sent: 0, trouble: true }
        }),
      ),
    )
    return {
      sent: rounds.reduce((all, { sent }) => all + sent, 0),
      trouble: rounds.some(({ trouble }) => trouble),
    }
  }

  return {
    round,
    run: async (signal: AbortSignal): Promise<void> => {
      const resting = createBackoff(policy.everyS * 1000, MOST_REST_MS, random)
      const abandoned = untilAborted(signal).then(() => clock.sleep(GRACE_MS))
      while (!signal.aborted) {
        const done = await Promise.race([round(signal), abandoned])
        if (done === undefined) return
        if (!done.trouble) resting.reset()
        await clock.sleep(done.trouble ? resting.next() : policy.everyS * 1000 * (0.5 + random() / 2), signal)
      }
    },
  }
}
