/**
 * Outcomes, after Jepsen: `ok`, `failed` (it has not happened and will not), and unknown: it may have happened, or may
 * yet. An answer that never came, and one that says that the system does not know, are unknown.
 */
const UNKNOWN = /^(?:lost|unavailable|internal|http_5\d\d)$/

/** Refused for the moment, without a word about what an earlier try has done. */
const LATER = /^(?:fenced|rate_limited|overloaded|http_429)$/

/** Leaves open whether what was asked has happened. */
export const isUnknown = (outcome: string): boolean => UNKNOWN.test(outcome)

/** Says what has become of what was asked, this time and before. */
export const isLastWord = (outcome: string): boolean => !UNKNOWN.test(outcome) && !LATER.test(outcome)
