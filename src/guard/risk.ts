import type { Oddity } from './headers.ts'
import type { GuardSettings } from './settings.ts'

/** What is known of a visitor when they ask for a challenge or a place. Counts are of the current window. */
export interface Evidence {
  readonly joins: {
    readonly address: number
    readonly network: number
    readonly device: number
    /** Of this fingerprint in this network: one model of phone has one fingerprint all over the world. */
    readonly fingerprint: number
  }
  /** Challenges asked for from this address. */
  readonly challenges: number
  /** Admissions of this address, and of everybody per join of everybody. */
  readonly enters: { readonly address: number; readonly perJoin: number }
  /** Hashes that the solution took, and the time there was for them. */
  readonly work?: { readonly tried: number; readonly elapsed_ms: number }
  readonly oddities: readonly Oddity[]
}

export type RiskLevel = 'low' | 'raised' | 'anomalous' | 'bot'

export interface Risk {
  /** 0..100 */
  readonly score: number
  readonly level: RiskLevel
  /** What the score is made of, the heaviest first. */
  readonly reasons: readonly { readonly reason: string; readonly points: number }[]
}

/** 0 up to `from`, 1 at `to` and above, by orders of magnitude in between: 10 to 100 is as far as 100 to 1000. */
const between = (value: number, from: number, to: number): number =>
  value <= from ? 0 : Math.min(1, Math.log(value / from) / Math.log(to / from))

interface Rule {
  readonly reason: string
  /** Points at full strength. */
  readonly weight: number
  /** 0..1 */
  readonly strength: (evidence: Evidence) => number
}

/** Hashes per ms that no browser does; ours does 3,000 on one core. */
const FAST = 50_000
const odd = (reason: Oddity, weight: number): Rule => ({
  reason,
  weight,
  strength: ({ oddities }) => Number(oddities.includes(reason)),
})

/**
 * The weights. What honest people share with others (an address, a network, a model of phone) never makes them
 * anomalous, by the default thresholds, not even all of it together; it takes another kind of evidence beside it.
 */
export const RULES: readonly Rule[] = [
  {
    // One rule for both: an address is in its network, so they are not two kinds of evidence.
    reason: 'joins_from_one_place',
    weight: 45,
    strength: ({ joins }) => Math.max(0.8 * between(joins.address, 20, 200), between(joins.network, 60, 250)),
  },
  {
    reason: 'joins_by_fingerprint',
    weight: 10,
    strength: ({ joins }) => between(joins.fingerprint, 20, 200),
  },
  { reason: 'joins_by_device', weight: 30, strength: ({ joins }) => between(joins.device, 2, 10) },
  {
    reason: 'challenges_without_joins',
    weight: 15,
    strength: ({ challenges, joins }) => between(challenges - joins.address, 30, 200),
  },
  {
    // Takes places and does not come when it is their turn, while others from elsewhere do.
    reason: 'joins_without_enters',
    weight: 20,
    strength: ({ joins, enters }) => {
      const expected = joins.address * enters.perJoin
      return expected < 5 ? 0 : Math.max(0, 1 - enters.address / (expected / 4))
    },
  },
  {
    reason: 'solved_faster_than_a_browser',
    weight: 40,
    strength: ({ work }) => (work ? between(work.tried / Math.max(1, work.elapsed_ms), FAST, 4 * FAST) : 0),
  },
  odd('automation_user_agent', 40),
  odd('fetch_metadata_foreign', 20),
  odd('client_hints_contradict', 20),
  odd('no_user_agent', 15),
  odd('fetch_metadata_missing', 15),
  odd('no_accept_language', 10),
]

/** Pure: the same evidence has the same score, and says why. */
export function assess(evidence: Evidence, thresholds: GuardSettings['risk']): Risk {
  const reasons = RULES.map(({ reason, weight, strength }) => ({
    reason,
    points: Math.round(weight * strength(evidence)),
  }))
    .filter(({ points }) => points > 0)
    .sort((a, b) => b.points - a.points)
  const score = Math.min(
    100,
    reasons.reduce((sum, { points }) => sum + points, 0),
  )
  return { score, level: thresholds.on ? levelOf(score, thresholds) : 'low', reasons }
}

function levelOf(score: number, { raised, anomalous, bot }: GuardSettings['risk']): RiskLevel {
  if (score >= bot) return 'bot'
  if (score >= anomalous) return 'anomalous'
  return score >= raised ? 'raised' : 'low'
}
