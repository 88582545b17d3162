import type { ProofPayload } from '../../src/contracts/guard.ts'
import { createProofOfWork } from '../../src/guard/proof-of-work.ts'
import { createNonces } from '../../src/guard/single-use.ts'
import { type Clock, systemClock } from '../../src/platform/clock.ts'
import { solve } from '../../web/waiting-room/solve.ts'

/** A clock that is set by hand; it starts at the true time, since other libraries look at that. */
export interface HandClock extends Clock {
  advance(ms: number): void
}

export function handClock(start = Date.now()): HandClock {
  let now = start
  return { ...systemClock, now: () => now, advance: (ms) => void (now += ms) }
}

export const SECRET = Buffer.alloc(32, 7)

/** Whose challenge it is. */
export const MINE = { sale: 'sale-1', device: 'device-1' }

export function createWork(clock: Clock, secret = SECRET) {
  const work = createProofOfWork({ secret, clock, nonces: createNonces(clock) })
  return {
    ...work,
    /** A challenge and its solution, found as a browser finds it. */
    solved: (hashes = 50, lifetime_s = 600, whose = MINE): ProofPayload =>
      solvedBy(work.create({ ...whose, hashes, lifetime_s })),
  }
}

export function solvedBy(challenge: ProofPayload['challenge']): ProofPayload {
  const solution = solve(challenge)
  if (solution === undefined) throw new Error('no solution')
  return { challenge, solution }
}

/** Reads the question as a person does, from its text alone. */
export function solveByReading(question: string): string {
  const NUMBERS =
    'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'
  const numberOf = (word: string) => NUMBERS.split(' ').indexOf(word)
  const listed = (/: (.*)\?$/.exec(question)?.[1] ?? '').split(', ')
  const [, a, b] = /^What is (\w+) plus (\w+)\?$/.exec(question) ?? []
  if (a !== undefined && b !== undefined) return String(numberOf(a) + numberOf(b))
  if (question.includes('largest')) return String(Math.max(...listed.map(numberOf)))
  const place = /the (first|second|third|fourth|fifth) word/.exec(question)?.[1]
  if (place !== undefined) return listed[['first', 'second', 'third', 'fourth', 'fifth'].indexOf(place)] ?? ''
  const MEMBERS: Readonly<Record<string, string>> = {
    'an animal': 'horse rabbit elephant duck tiger sheep goat monkey',
    'a fruit': 'apple banana cherry pear grape lemon peach mango',
    'a piece of furniture': 'table chair wardrobe sofa desk shelf bed cupboard',
    'a musical instrument': 'piano violin guitar trumpet flute harp cello clarinet',
    'a colour': 'red green blue yellow purple brown white black',
    'part of the body': 'elbow knee shoulder ankle finger thumb chin wrist',
  }
  const kind = /^Which of these is (.*):/.exec(question)?.[1] ?? ''
  const fitting = listed.filter((word) => MEMBERS[kind]?.split(' ').includes(word))
  if (fitting.length !== 1) throw new Error(`not one answer: ${question}`)
  return fitting[0] ?? ''
}
