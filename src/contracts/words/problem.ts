import type { ProblemBody } from '../problems.ts'
import type { Say } from './say.ts'

/**
 * A refusal in two lines: what happened, and what to do. The server says it in English, and often more exactly; other
 * languages have words for each code a buyer can meet.
 */
export function problemText(
  say: Say,
  { code, title, detail }: ProblemBody,
): { title: string; detail: string } {
  const [name, text] = [`problems.${code}`, `problems.${code}.text`]
  if (say.language === 'en') return { title, detail: detail ?? (say.has(text) ? say(text) : '') }
  return say.has(name) && say.has(text)
    ? { title: say(name), detail: say(text) }
    : { title: say('problems.other'), detail: say('problems.other.text') }
}
