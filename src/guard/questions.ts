import type { Say } from '../contracts/words/say.ts'

/** A question in plain words, and its answer as `normalise` writes it. */
export interface Question {
  readonly question: string
  readonly answer: string
}

/** A number from 0 to `below` - 1. */
type Pick = (below: number) => number

/** Kinds of things; a word is in one of them only, in every language. */
export const KINDS = ['animal', 'fruit', 'furniture', 'instrument', 'colour', 'body'] as const

const listOf = (text: string) => text.split(', ')
const numbersIn = (say: Say) => listOf(say('questions.numbers'))
export const wordsOf = (say: Say, kind: (typeof KINDS)[number]) => listOf(say(`questions.kind.${kind}.words`))

/** Draws a question: heard or read, it takes no eyesight, no sound and no picture. */
export function drawQuestion(say: Say, pick: Pick): Question {
  const makers = [sum, oneOfAKind, wordAt, largest]
  const { question, answer } = (makers[pick(makers.length)] ?? sum)(say, pick)
  return { question, answer: normalise(say, answer) }
}

function sum(say: Say, pick: Pick): Question {
  const numbers = numbersIn(say)
  const [a, b] = [2 + pick(8), 2 + pick(8)]
  const values = { a: numbers[a] ?? '', b: numbers[b] ?? '' }
  return { question: say('questions.sum', values), answer: String(a + b) }
}

function oneOfAKind(say: Say, pick: Pick): Question {
  const kinds = draw(pick, KINDS, 4)
  const words = kinds.map((kind) => wordsOf(say, kind)[pick(8)] ?? kind)
  const wanted = pick(words.length)
  const kind = say(`questions.kind.${kinds[wanted] ?? 'animal'}`)
  return {
    question: say('questions.which', { kind, words: listed(say, words) }),
    answer: words[wanted] ?? '',
  }
}

function wordAt(say: Say, pick: Pick): Question {
  const every = KINDS.flatMap((kind) => wordsOf(say, kind))
  const words = draw(pick, every, 5)
  const wanted = pick(words.length)
  const ordinal = listOf(say('questions.ordinals'))[wanted] ?? ''
  return {
    question: say('questions.word_at', { ordinal, words: listed(say, words) }),
    answer: words[wanted] ?? '',
  }
}

function largest(say: Say, pick: Pick): Question {
  const names = numbersIn(say)
  const numbers = draw(pick, [...names.keys()], 4)
  const words = numbers.map((number) => names[number] ?? '')
  return {
    question: say('questions.largest', { words: listed(say, words) }),
    answer: String(Math.max(...numbers)),
  }
}

const listed = (say: Say, words: readonly string[]) => words.join(say('questions.separator'))

/** `count` different ones, in any order. */
function draw<T>(pick: Pick, from: readonly T[], count: number): T[] {
  const left = [...from]
  return Array.from({ length: count }, () => left.splice(pick(left.length), 1)).flat()
}

/** What a person typed, without what does not matter: case, accents, spaces, punctuation, articles, digits or words. */
export function normalise(say: Say, typed: string): string {
  const words = plain(typed)
  const article = listOf(say('questions.leave_out')).find((word) => words.startsWith(`${plain(word)} `))
  const rest = article === undefined ? words : words.slice(plain(article).length + 1)
  const number = numbersIn(say).findIndex((name) => plain(name) === rest)
  return number < 0 ? rest : String(number)
}

/** NFKC makes digits of every script Latin ones where they are only wide; those of Arabic are written apart. */
function plain(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/[٠-٩]/g, (digit) => String(digit.charCodeAt(0) - 0x660))
    .toLowerCase()
    .normalize('NFD')
    .replace(/(\p{Script=Latin})\p{M}+/gu, '$1')
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim()
}
