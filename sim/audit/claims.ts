import { type Check, type Evidence, examined, notChecked } from './evidence.ts'
import { wasRebuilt } from './orders.ts'
import { isLastWord, isUnknown } from './unknown.ts'

/** What claims were answered: invariants 5 and 10, and that buyers who keep the rules are served (0). */
export const CLAIM_CHECKS: readonly Check[] = [
  { invariant: 0, name: 'every buyer came to a lawful end', examine: lawfulEnds },
  { invariant: 5, name: 'a retry tells what became of the claim', examine: retriesAgree },
  { invariant: 5, name: 'no order nobody was told of', examine: noSurprises },
  { invariant: 10, name: 'one order a pass', examine: oneOrderAPass },
  { invariant: 10, name: 'claims without a valid pass are refused', examine: probesRefused },
  { invariant: 10, name: 'no more orders than positions let in', examine: ordersEntered },
]

/** When each buyer was first given a pass. */
function firstPass({ enters }: Evidence['history']): Map<number, number> {
  const at = new Map<number, number>()
  for (const { buyer, outcome, sent } of enters)
    if (outcome === 'entered') at.set(buyer, Math.min(at.get(buyer) ?? Infinity, sent))
  return at
}

function lawfulEnds(evidence: Evidence) {
  const { history, bots, sale } = evidence
  const given = firstPass(history)
  const early = history.claims.filter(
    ({ buyer, outcome, answered }) =>
      outcome === 'pass_expired' && answered - (given.get(buyer) ?? 0) < sale.pass_s * 1000,
  )
  // With the data of Redis the passes are gone.
  const spared = sale.items.some(({ id }) => wasRebuilt(evidence, id))
  const cheated = new Set(spared ? [] : early.map(({ buyer }) => buyer))
  const wrong = history.fates.flatMap(({ buyer, ending, detail }) => {
    if (bots.has(buyer)) return []
    if (ending === 'refused') return [`buyer ${buyer} was refused: ${detail}`]
    if (cheated.has(buyer)) return [`the pass of buyer ${buyer} had expired before its time`]
    if (ending === 'gave_up') return [`buyer ${buyer} was still busy when the run was cut off`]
    return []
  })
  return examined(history.fates.filter(({ buyer }) => !bots.has(buyer)).length, wrong)
}

const byKey = (history: Evidence['history']) =>
  Map.groupBy(history.claims, (claim) => `${claim.position} ${claim.key}`)

/** One key, one order: however often it is asked, and never a refusal after a yes. */
function retriesAgree({ history }: Evidence) {
  const retried = [...byKey(history).values()].filter((group) => group.length > 1)
  if (retried.length === 0) return notChecked('no answer to a claim was lost')
  const wrong = retried.flatMap((group) => {
    const orders = new Set(group.flatMap((claim) => claim.order_id ?? []))
    const key = `key ${group[0]?.key}`
    if (orders.size > 1) return [`${key} made ${orders.size} orders`]
    const yes = group.find((claim) => claim.order_id !== undefined)
    const no =
      yes && group.find((claim) => claim.sent > yes.answered && isLastWord(claim.outcome) && !claim.order_id)
    return no ? [`${key}: ${no.outcome} after it was granted`] : []
  })
  return examined(retried.length, wrong)
}

/** An order of ours that was never acknowledged: lawful only while the last word on its claim is outstanding. */
function noSurprises({ history, orders }: Evidence) {
  const told = new Set(history.claims.flatMap((claim) => claim.order_id ?? []))
  const unanswered = new Set<string>()
  for (const group of byKey(history).values()) {
    const open = group.findLastIndex((claim) => isUnknown(claim.outcome))
    if (open >= 0 && !group.slice(open).some((claim) => isLastWord(claim.outcome)))
      unanswered.add(group[0]?.user_id ?? '')
  }
  const ours = new Set(history.claims.map((claim) => claim.user_id))
  const own = orders.filter((order) => ours.has(order.user_id))
  const wrong = own.filter((order) => !told.has(order.order_id) && !unanswered.has(order.user_id))
  return examined(
    own.length,
    wrong.map((order) => `order ${order.order_id}: its buyer was refused, or never told`),
  )
}

function oneOrderAPass({ history }: Evidence) {
  const orders = new Map<number, Set<string>>()
  for (const { position, order_id } of history.claims)
    if (order_id !== undefined) orders.set(position, (orders.get(position) ?? new Set()).add(order_id))
  const wrong = [...orders].filter(([, ids]) => ids.size > 1)
  return examined(
    orders.size,
    wrong.map(([position, ids]) => `the pass of position ${position} made ${ids.size} orders`),
  )
}

function probesRefused({ probes }: Evidence) {
  const wrong = probes.filter((probe) => probe.answered !== probe.expected)
  return examined(
    probes.length,
    wrong.map((probe) => `${probe.what}: expected ${probe.expected}, was answered ${probe.answered}`),
  )
}

function ordersEntered(evidence: Evidence) {
  const { orders, history, sale } = evidence
  // A waiting room that has lost its memory does not know of all whom it has let in; they do.
  const lost = sale.items.some(({ id }) => wasRebuilt(evidence, id))
  const open = history.enters.filter(({ outcome }) => outcome === 'entered' || isUnknown(outcome))
  const told = new Set(open.map(({ position }) => position)).size
  const entered = lost ? Math.max(evidence.entered, told) : evidence.entered
  const wrong = orders.length > entered ? [`${orders.length} orders, ${entered} positions let in`] : []
  return examined(orders.length, wrong)
}
