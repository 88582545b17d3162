import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { createSay, type Language, LANGUAGES, type Message, type Topic } from '../contracts/words/say.ts'
import { projectPath } from './project.ts'
import { createSpeakers, readWords } from './words.ts'

const words = readWords()
const topics = Object.keys(words.en)
const sentences = (message: Message) => (typeof message === 'string' ? [message] : Object.values(message))
const holes = (sentence: string) => (sentence.match(/\{\w+\}/g) ?? []).toSorted()

describe.each(LANGUAGES.filter((language) => language !== 'en'))('%s', (language) => {
  test('says everything English says, and nothing else', () => {
    expect(Object.keys(words[language]).toSorted()).toEqual(topics.toSorted())
    for (const topic of topics)
      expect(Object.keys(words[language][topic] ?? {}).toSorted()).toEqual(
        Object.keys(words.en[topic] ?? {}).toSorted(),
      )
  })

  test('has the same holes, and a sentence for each of its plurals', () => {
    const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories.toSorted()
    for (const topic of topics)
      for (const [key, english] of Object.entries(words.en[topic] ?? {})) {
        const message = words[language][topic]?.[key] ?? ''
        const where = `${topic}.${key}`
        expect([where, typeof message]).toEqual([where, typeof english])
        if (typeof message !== 'string')
          expect([where, Object.keys(message).toSorted()]).toEqual([where, categories])
        // "one" may leave the number out: it says it in a word.
        const wanted = holes(sentences(english).at(-1) ?? '')
        const other = typeof message === 'string' ? message : (message.other ?? '')
        expect([where, holes(other)]).toEqual([where, wanted])
      }
  })

  test('is not English', () => {
    const same = topics.flatMap((topic) =>
      Object.entries(words.en[topic] ?? {}).filter(
        ([key, english]) =>
          sentences(english).some((sentence) =>
            /[a-z]{3}.* .*[a-z]{3}/i.test(sentence.replace(/\{\w+\}/g, '')),
          ) && JSON.stringify(words[language][topic]?.[key]) === JSON.stringify(english),
      ),
    )
    expect(same.map(([key]) => key)).toEqual([])
  })
})

test('a plural is chosen by the rules of the language', () => {
  const people = (language: Language, counts: readonly number[]) =>
    counts.map((count) => createSpeakers(words)[language]('place.people', { count }))
  expect(people('en', [1, 2])).toEqual(['1 person is ahead of you.', '2 people are ahead of you.'])
  expect(people('ja', [1])).toEqual(['あなたの前に1人います。'])
  expect(people('ar', [1, 2, 3, 11, 100])).toEqual([
    'أمامك شخص واحد.',
    'أمامك شخصان.',
    'أمامك 3 أشخاص.',
    'أمامك 11 شخصًا.',
    'أمامك 100 شخص.',
  ])
})

test('numbers look as the language writes them; what is missing is a mistake', () => {
  const topic: Topic = { nobody: 'only {many}' }
  const say = createSay({ language: 'de', topics: { place: topic } })
  expect(say('place.nobody', { many: 12_345 })).toBe('only 12.345')
  expect(() => say('place.nobody')).toThrow(RangeError)
  expect(() => say('place.next')).toThrow(RangeError)
  expect(say.has('place.next')).toBe(false)
})

/** Words of a template that no language but its own can say: text and what is read aloud, without holes and names. */
function ownWords(template: string): string[] {
  const text = template.replace(/<!--[^]*?-->/g, '').replace(/\{\{[\w.]+\}\}/g, '')
  const spoken = [...text.matchAll(/(?:aria-label|alt|placeholder|title)="([^"]*)"/g)].map(
    ([, said]) => said ?? '',
  )
  return [text.replace(/<[^>]*>/g, ' '), ...spoken]
    .flatMap((said) => said.match(/\p{L}{2,}/gu) ?? [])
    .filter((word) => !['Doorbuster', 'PayPal'].includes(word))
}

test('templates leave all words to words/', () => {
  expect(ownWords('<p title="Your place">{{plain.join}} Go on</p>')).toEqual(['Go', 'on', 'Your', 'place'])
  for (const folder of ['web/plain', 'src/flow/notices/mails'])
    for (const file of readdirSync(projectPath(folder)).filter((name) => name.endsWith('.html')))
      expect([file, ...ownWords(readFileSync(projectPath(`${folder}/${file}`), 'utf8'))]).toEqual([file])
})
