import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import {
  createSay,
  type Language,
  LANGUAGES,
  type Say,
  type Topic,
  type Topics,
} from '../contracts/words/say.ts'
import { projectPath } from './project.ts'

/** All that is in `words/`: a folder a language, a file a topic. */
export type Words = Readonly<Record<Language, Topics>>

export function readWords(directory: string = projectPath('words')): Words {
  return Object.fromEntries(
    LANGUAGES.map((language) => [language, readTopics(join(directory, language))]),
  ) as Words
}

function readTopics(directory: string): Topics {
  const files = readdirSync(directory).filter((file) => file.endsWith('.json'))
  const read = (file: string) => JSON.parse(readFileSync(join(directory, file), 'utf8')) as Topic
  return Object.fromEntries(files.map((file) => [basename(file, '.json'), read(file)]))
}

/** One for each language. */
export type Speakers = Readonly<Record<Language, Say>>

/** Nobody tells a server where its reader is: the times of these are UTC, and say so. */
export function createSpeakers(words: Words = readWords()): Speakers {
  const speaker = (language: Language) => createSay({ language, topics: words[language], timeZone: 'UTC' })
  return Object.fromEntries(LANGUAGES.map((language) => [language, speaker(language)])) as Record<
    Language,
    Say
  >
}
