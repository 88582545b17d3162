import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { createSay, type Language, LANGUAGES, type Message, type Topic } from '../contracts/words/say.ts'
import { projectPath } from './project.ts'
import { createSpeakers, readWords } from './words.ts'
import { mistakeIn } from './words-check.ts'

const words = readWords()
const topics = Object.keys(words.en)
const sentences = (message: Message) => (typeof message === 'string' ? [message] : Object.values(message))

describe.each(LANGUAGES.filter((language) => language !== 'en'))('%s', (language) => {
  test('says everything English says, and nothing else', () => {
    expect(Object.keys(words[language]).toSorted()).toEqual(topics.toSorted())
    for (const topic of topics)
      expect(Object.keys(words[language][topic] ?? {}).toSorted()).toEqual(
        Object.keys(words.en[topic] ?? {}).toSorted(),
      )
  })

  test('has the same holes, and a sentence for each of its plurals', () => {
    for (const topic of topics)
      for (const [key, english] of Object.entries(words.en[topic] ?? {})) {
        const mistake = mistakeIn(language, words[language][topic]?.[key] ?? '', english)
        expect([`${topic}.${key}`, mistake]).toEqual([`${topic}.${key}`, undefined])
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

test('a message must fit where English has one', () => {
  const said = (message: Message, english: Message, language: Language = 'de') =>
    mistakeIn(language, message, english)
  expect(said('{a} und {b}', '{b} and {a}')).toBeUndefined()
  expect(said('{a}', '{b} and {a}')).toBe('its holes must be {a} {b}')
  expect(said('{c}', 'nothing')).toBe('its holes must be none')
  expect(said({ other: '{count}' }, 'one sentence')).toBe('it is one sentence, without plurals')
  const english = { one: 'a day', other: '{count} days' }
  expect(said('{count} Tage', english)).toBe('it needs a sentence for each plural')
  expect(said({ one: 'ein Tag', other: '{count} Tage' }, english)).toBeUndefined()
  expect(said({ one: '{days} Tag', other: '{count} Tage' }, english)).toBe('it has no value for {days}')
  expect(said({ other: '{count} Tage' }, english)).toBe('its plurals must be one, other')
  expect(said({ other: '{count}日' }, english, 'ja')).toBeUndefined()
})

test('numbers look as the language writes them; what is missing is a mistake', () => {
  const topic: Topic = { nobody: 'only {many}' }
  const say = createSay({ language: 'de', topics: { place: topic } })
  expect(say('place.nobody', { many: 12_345 })).toBe('only 12.345')
  expect(createSay({ language: 'ar', topics: {}, locale: 'ar-EG' }).count(1234)).toBe('1,234')
  expect(() => say('place.nobody')).toThrow(RangeError)
  expect(() => say('place.next')).toThrow(RangeError)
  expect(say.has('place.next')).toBe(false)
})

/** Words of a template that no language but its own can say: text and what is read aloud, without holes and names. */
function ownWords(template: string): string[] {
  const text = template.replace(/<!--[^]*?-->/g, '').replace(/\{\{[\w.-]+\}\}/g, '')
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
