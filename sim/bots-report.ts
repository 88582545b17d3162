import type { Evidence } from './audit/evidence.ts'
import { SOLVES_PER_SECOND } from './crowd/bot-operator.ts'
import { HASHES } from './own-sale.ts'
import type { Report } from './report.ts'

/** What the bots of one run got. */
export interface BotsShare {
  readonly bots: number
  /** 0..1 of all that arrived, of the places given, and of the units paid for. */
  readonly share_of_arrivals: number
  readonly share_of_places: number
  readonly share_of_units: number
  /** Honest buyers whom the guard refused at least once, a challenge to solve anew aside. */
  readonly honest_refused: number
  /** What the bots' joins were answered, by outcome. */
  readonly joins_of_bots: Readonly<Record<string, number>>
}

const REFUSED_BY_GUARD = new Set(['rate_limited', 'captcha_required', 'proof_missing', 'proof_invalid'])
const round = (share: number) => Math.round(share * 10_000) / 10_000
const ratio = (some: number, all: number) => (all === 0 ? 0 : round(some / all))

export function shareOfBots({ history, orders, bots }: Evidence): BotsShare {
  const users = new Set(history.claims.flatMap((claim) => (bots.has(claim.buyer) ? [claim.user_id] : [])))
  const paid = orders.filter((order) => order.status === 'PAID')
  const units = (some: typeof paid) => some.reduce((sum, order) => sum + order.quantity, 0)
  const placed = history.joins.filter((join) => join.position !== undefined)
  const refused = [...history.joins, ...history.enters, ...history.claims].filter(
    ({ buyer, outcome }) => !bots.has(buyer) && REFUSED_BY_GUARD.has(outcome),
  )
  const joins: Record<string, number> = {}
  for (const { buyer, outcome } of history.joins)
    if (bots.has(buyer)) joins[outcome] = (joins[outcome] ?? 0) + 1
  return {
    bots: bots.size,
    share_of_arrivals: ratio(bots.size, history.fates.length),
    share_of_places: ratio(placed.filter(({ buyer }) => bots.has(buyer)).length, placed.length),
    share_of_units: ratio(units(paid.filter((order) => users.has(order.user_id))), units(paid)),
    honest_refused: new Set(refused.map(({ buyer }) => buyer)).size,
    joins_of_bots: joins,
  }
}

export interface Judged {
  readonly report: Report
  readonly share: BotsShare
}

/** Both runs in one: the guarded one's numbers, and next to them what the same crowd did without the guard. */
export function compareBots(unguarded: Judged, guarded: Judged) {
  const { share } = guarded
  const wronged = share.honest_refused > 0 ? ['honest_refused'] : []
  return {
    ...guarded.report,
    broken: [
      ...guarded.report.broken,
      ...unguarded.report.broken.map((name) => `unguarded:${name}`),
      ...wronged,
    ],
    bots: {
      ...share,
      share_of_places_unguarded: unguarded.share.share_of_places,
      share_of_units_unguarded: unguarded.share.share_of_units,
    },
    unguarded: unguarded.report,
  }
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`.padStart(8)

/** The same for people. */
export function renderBots({ bots, broken }: ReturnType<typeof compareBots>): string {
  const joins = Object.entries(bots.joins_of_bots).map(([outcome, count]) => `${count} ${outcome}`)
  return [
    `Bots: ${percent(bots.share_of_arrivals).trim()} of the arrivals (${bots.bots}), one operator, one block of addresses`,
    '             guard off  guard on',
    `  of places  ${percent(bots.share_of_places_unguarded)}  ${percent(bots.share_of_places)}`,
    `  of units   ${percent(bots.share_of_units_unguarded)}  ${percent(bots.share_of_units)}`,
    `  joins of bots with the guard on: ${joins.join(', ')}`,
    `  honest buyers refused by the guard: ${bots.honest_refused}`,
    `  Scaled down: ${HASHES} hashes a challenge instead of 500,000; the operator's machine does ${SOLVES_PER_SECOND} such`,
    '  challenges a second (at 500,000 hashes some 17 processors as fast as a browser), one that is ten times as hard in',
    '  ten times the time. Bots do not answer questions; half of them copy the headers of a browser.',
    broken.length === 0 ? '  All held, in both runs.' : `  BROKEN: ${broken.join(', ')}`,
    '',
  ].join('\n')
}
