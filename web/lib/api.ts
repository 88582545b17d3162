import type { Refused } from './ask.ts'
import { problemText } from '../../src/contracts/words/problem.ts'
import { say } from './words.ts'

export { type Answer, ask, type Refused } from './ask.ts'

/** A refusal in two lines: what happened, and what to do. */
export function explain(refused: Refused): { title: string; detail: string } {
  return refused.kind === 'unreachable'
    ? { title: say('problems.unreachable'), detail: say('problems.unreachable.text') }
    : problemText(say, refused.problem)
}
