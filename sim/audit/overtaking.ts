import type { EnterExchange } from '../history.ts'
import { whenEmpty } from './empty.ts'
import type { Evidence } from './evidence.ts'
import type { Inversion } from './real-time.ts'
import { isUnknown } from './unknown.ts'

/** Whoever asks again sooner than this, in ms, is still there and is to be let in first; as asking.lua has it. */
const ASKS_AGAIN_MS = 3000

/**
 * When each buyer was let in: asking again only tells it again, and where an answer was lost it may have happened since
 * that was sent.
 */
export function admitted(enters: readonly EnterExchange[]): EnterExchange[] {
  const found = new Map<number, EnterExchange>()
  const open = new Map<number, EnterExchange>()
  for (const one of [...enters].sort((a, b) => a.sent - b.sent)) {
    const { buyer, outcome } = one
    if (found.has(buyer)) continue
    if (outcome === 'entered') found.set(buyer, { ...one, sent: open.get(buyer)?.sent ?? one.sent })
    else if (!isUnknown(outcome)) open.delete(buyer)
    else if (!open.has(buyer)) open.set(buyer, one)
  }
  return [...found.values()].sort((a, b) => a.sent - b.sent)
}

/**
 * Positions let in past a lower one whose turn had come: it was refused before the higher one asked and, still asking,
 * refused again after the higher one was in. That is right where nothing was available when it was refused again, as
 * far as the server could know: those in checkout may take the last unit at any moment. And it is right where the
 * higher one had been passed before: then it goes in first, whoever came since.
 */
export function overtakenTurns(evidence: Evidence): Inversion<EnterExchange>[] {
  const { history, statuses, bots, limits } = evidence
  const empty = whenEmpty(evidence)
  const ranOut = ({ sent, answered }: EnterExchange) => {
    const next = empty[firstPast(empty, ({ to }) => to, sent - limits.staleMs)]
    return next !== undefined && next.from < answered
  }
  const entered = admitted(history.enters)
  const wasPassed = passedBefore(history.enters, entered)
  const honest = history.enters.filter(({ buyer }) => !bots.has(buyer))
  const pairs = refusedTwice(honest, servingKnown(statuses)).filter(({ after }) => !ranOut(after))
  const found: Inversion<EnterExchange>[] = []
  for (const { before, after } of pairs)
    for (let at = firstPast(entered, (one) => one.sent, before.answered); at < entered.length; at++) {
      const first = entered[at]
      if (first === undefined || first.sent >= after.sent) break
      if (first.answered < after.sent && first.position > before.position && !wasPassed(first))
        found.push({ first, second: after })
    }
  return found
}

/** Index of the first of `sorted` whose time is past `time`. */
export function firstPast<One>(sorted: readonly One[], timeOf: (one: One) => number, time: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const one = sorted[middle]
    if (one !== undefined && timeOf(one) <= time) low = middle + 1
    else high = middle
  }
  return low
}

/** Two refusals of one buyer in a row, close enough that the buyer was there all the time, both after the turn came. */
function refusedTwice(enters: readonly EnterExchange[], serving: (at: number) => number) {
  const pairs: { before: EnterExchange; after: EnterExchange }[] = []
  const last = new Map<number, EnterExchange>()
  for (const one of [...enters].sort((a, b) => a.sent - b.sent)) {
    const before = last.get(one.buyer)
    const near = before !== undefined && one.answered - before.sent < ASKS_AGAIN_MS
    if (one.outcome === 'too_early' && near && serving(before.sent) >= before.position)
      pairs.push({ before, after: one })
    if (one.outcome === 'too_early') last.set(one.buyer, one)
    else last.delete(one.buyer)
  }
  return pairs
}

/** Whether somebody further back may have been let in between the last refusal of one who was let in, and that. */
function passedBefore(enters: readonly EnterExchange[], entered: readonly EnterExchange[]) {
  const refusals = Map.groupBy(
    enters.filter(({ outcome }) => outcome === 'too_early'),
    ({ buyer }) => buyer,
  )
  const known = new Map<number, boolean>()
  const find = ({ buyer, position, sent, answered }: EnterExchange) => {
    const asked = refusals.get(buyer)?.findLast((one) => one.answered <= sent)
    if (asked === undefined || sent - asked.answered >= ASKS_AGAIN_MS) return false
    const between = entered.slice(
      0,
      firstPast(entered, (one) => one.sent, answered),
    )
    return between.some((one) => one.answered > asked.sent && one.position > position)
  }
  return (one: EnterExchange): boolean => {
    const passed = known.get(one.buyer) ?? find(one)
    known.set(one.buyer, passed)
    return passed
  }
}

/** The highest serving number that somebody had been shown by then. */
function servingKnown(statuses: Evidence['statuses']): (at: number) => number {
  const shown = [...statuses].sort((a, b) => a.answered - b.answered)
  return (at) => shown[firstPast(shown, (one) => one.answered, at) - 1]?.status.now_serving ?? 0
}
