/** A question in plain English, and its answer as `normalise` writes it. */
export interface Question {
  readonly question: string
  readonly answer: string
}

/** A number from 0 to `below` - 1. */
type Pick = (below: number) => number

const DIGITS = [
  ...[
    'zero',
    'one',
    'two',
    'three',
    'four',
    'five',
    'six',
    'seven',
    'eight',
    'nine',
    'ten',
    'eleven',
    'twelve',
  ],
  ...['thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen', 'twenty'],
]
const ORDINALS = ['first', 'second', 'third', 'fourth', 'fifth']

/** Kinds of things; a word is in one of them only. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  'an animal': ['horse', 'rabbit', 'elephant', 'duck', 'tiger', 'sheep', 'goat', 'monkey'],
  'a fruit': ['apple', 'banana', 'cherry', 'pear', 'grape', 'lemon', 'peach', 'mango'],
  'a piece of furniture': ['table', 'chair', 'wardrobe', 'sofa', 'desk', 'shelf', 'bed', 'cupboard'],
  'a musical instrument': ['piano', 'violin', 'guitar', 'trumpet', 'flute', 'harp', 'cello', 'clarinet'],
  'a colour': ['red', 'green', 'blue', 'yellow', 'purple', 'brown', 'white', 'black'],
  'part of the body': ['elbow', 'knee', 'shoulder', 'ankle', 'finger', 'thumb', 'chin', 'wrist'],
}

/** Draws a question: heard or read, it takes no eyesight, no sound and no picture. */
export function drawQuestion(pick: Pick): Question {
  const makers = [sum, oneOfAKind, wordAt, largest]
  return (makers[pick(makers.length)] ?? sum)(pick)
}

function sum(pick: Pick): Question {
  const [a, b] = [2 + pick(8), 2 + pick(8)]
  return { question: `What is ${DIGITS[a]} plus ${DIGITS[b]}?`, answer: String(a + b) }
}

function oneOfAKind(pick: Pick): Question {
  const kinds = draw(pick, Object.keys(KINDS), 4)
  const words = kinds.map((kind) => KINDS[kind]?.[pick(8)] ?? kind)
  const wanted = pick(words.length)
  return {
    question: `Which of these is ${kinds[wanted]}: ${words.join(', ')}?`,
    answer: words[wanted] ?? '',
  }
}

function wordAt(pick: Pick): Question {
  const words = draw(pick, Object.values(KINDS).flat(), 5)
  const wanted = pick(words.length)
  return {
    question: `What is the ${ORDINALS[wanted]} word in this list: ${words.join(', ')}?`,
    answer: words[wanted] ?? '',
  }
}

function largest(pick: Pick): Question {
  const numbers = draw(pick, [...DIGITS.keys()], 4)
  return {
    question: `Which of these numbers is the largest: ${numbers.map((number) => DIGITS[number]).join(', ')}?`,
    answer: String(Math.max(...numbers)),
  }
}

/** `count` different ones, in any order. */
function draw<T>(pick: Pick, from: readonly T[], count: number): T[] {
  const left = [...from]
  return Array.from({ length: count }, () => left.splice(pick(left.length), 1)).flat()
}

/** What a person typed, without what does not matter: case, spaces, punctuation, "a" or "the", digits or words. */
export function normalise(typed: string): string {
  const words = typed
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .replace(/^(?:an?|the|it is|its) /, '')
  const number = DIGITS.indexOf(words)
  return number < 0 ? words : String(number)
}
