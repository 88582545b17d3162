import { CLAIM_CHECKS } from './claims.ts'
import type { Check, Evidence } from './evidence.ts'
import { EVENT_CHECKS } from './events.ts'
import { FAIRNESS_CHECKS } from './fairness.ts'
import { INVARIANTS } from './invariants.ts'
import { MONEY_CHECKS } from './money.ts'
import { ORDER_CHECKS } from './orders.ts'
import { STOCK_CHECKS } from './stock.ts'

export const CHECKS: readonly Check[] = [
  ...STOCK_CHECKS,
  ...ORDER_CHECKS,
  ...EVENT_CHECKS,
  ...CLAIM_CHECKS,
  ...MONEY_CHECKS,
  ...FAIRNESS_CHECKS,
]

export interface Verdict {
  readonly number: number
  readonly name: string
  readonly says: string
  /** `not_checked`: not one of its checks had anything to look at. Never the same as `held`. */
  readonly result: 'held' | 'broken' | 'not_checked'
  /** Things looked at, over all its checks. */
  readonly examined: number
  readonly violations: readonly string[]
  /** Checks that could not be made, with the reason. */
  readonly not_checked: readonly string[]
}

/** One verdict for each invariant, in the order of the design. */
export function audit(evidence: Evidence): Verdict[] {
  return INVARIANTS.map((invariant) => {
    let count = 0
    const violations: string[] = []
    const unchecked: string[] = []
    for (const check of CHECKS.filter((one) => one.invariant === invariant.number)) {
      const finding = check.examine(evidence)
      if (finding.kind === 'not_checked') unchecked.push(`${check.name}: ${finding.reason}`)
      else {
        violations.push(...finding.violations)
        count += finding.count
        if (finding.count === 0) unchecked.push(`${check.name}: there was nothing to look at`)
      }
    }
    const result = violations.length > 0 ? 'broken' : count > 0 ? 'held' : 'not_checked'
    return { ...invariant, result, examined: count, violations, not_checked: unchecked }
  })
}
