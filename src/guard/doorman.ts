import type { ItemId, SaleId } from '../contracts/ids.ts'
import type { Asker } from '../platform/asker.ts'
import type { Doorman } from '../platform/doorman.ts'
import { Problem } from '../platform/errors.ts'
import type { Metrics } from '../platform/telemetry.ts'
import type { Client, Guard, Refused } from './guard.ts'

export interface DoormanParts {
  readonly guard: Guard
  readonly metrics: Metrics
  /** The sale of an item; undefined for an unknown one, which the claim itself refuses. */
  readonly saleOf: (item: ItemId) => Promise<SaleId | undefined>
}

/** Turns the guard's verdicts into problems, and counts them. */
export function createDoorman({ guard, metrics, saleOf }: DoormanParts): Doorman {
  const refuse = ({ problem, why, detail, retry_after_s, captcha }: Refused): never => {
    metrics.refusals.inc({ problem, why })
    throw new Problem(problem, detail, {
      ...(retry_after_s === undefined ? {} : { retryAfterS: retry_after_s }),
      ...(captcha === undefined ? {} : { extension: { captcha } }),
    })
  }
  return {
    challenge: async (asker, sale, device) => {
      const answer = await guard.challenge({ sale, device, client: clientOf(asker) })
      return answer.kind === 'ok' ? answer.challenge : refuse(answer)
    },
    join: async (asker, { captcha, ...knock }) => {
      const verdict = await guard.admitJoin({ ...knock, captcha, client: clientOf(asker) })
      return verdict.kind === 'refused' ? refuse(verdict) : verdict.kind
    },
    joinByForm: async (asker, { sale, device, captcha }) => {
      const verdict = await guard.admitJoin({ sale, device, captcha, form: true, client: clientOf(asker) })
      if (verdict.kind !== 'refused') return { kind: verdict.kind }
      const asked = verdict.captcha
      if (asked?.kind !== 'question') return refuse(verdict)
      metrics.refusals.inc({ problem: verdict.problem, why: verdict.why })
      return { kind: 'question', question: asked.question, token: asked.token }
    },
    enter: async (asker, sale, ticket) => {
      const answer = await guard.enterAllowed({ sale, ticket, client: clientOf(asker) })
      if (answer.kind === 'refused') refuse(answer)
    },
    entered: (asker, sale) => guard.noteEnter({ sale, client: clientOf(asker) }),
    claim: async (asker, item, user) => {
      const sale = await saleOf(item)
      if (sale === undefined) return
      const answer = await guard.claimAllowed({ sale, user, client: clientOf(asker) })
      if (answer.kind === 'refused') refuse(answer)
    },
    giftCard: async (asker, sale, user) => {
      const answer = await guard.giftCardAllowed({ sale, user, client: clientOf(asker) })
      if (answer.kind === 'refused') refuse(answer)
    },
  }
}

const clientOf = ({ env, req }: Asker): Client => ({
  get address() {
    return env.address
  },
  headers: req.raw.headers,
})
