/** When what is left is said aloud, in seconds: often enough to act on, never each second. */
const SAID_AT_S = [120, 60, 30, 10] as const
/** The moment that has come since what was left was `before`; undefined while there is nothing new to say. */
export function momentPassed(beforeS: number, nowS: number): number | undefined {
  return SAID_AT_S.findLast((moment) => nowS <= moment && beforeS > moment)
}
