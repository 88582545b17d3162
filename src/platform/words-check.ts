import type { Language, Message } from '../contracts/words/say.ts'

/**
 * What is wrong with a message that is to stand where English has `english`; undefined: nothing. It needs the same
 * holes, and where the English counts, a sentence for each plural category of its language.
 */
export function mistakeIn(language: Language, message: Message, english: Message): string | undefined {
  if (typeof message !== typeof english)
    return typeof english === 'string'
      ? 'it is one sentence, without plurals'
      : 'it needs a sentence for each plural'
  const sentences = typeof message === 'string' ? { other: message } : message
  if (typeof message !== 'string') {
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions()
    const wanted = pluralCategories.toSorted().join(', ')
    if (Object.keys(message).toSorted().join(', ') !== wanted) return `its plurals must be ${wanted}`
  }
  const wanted = holes(typeof english === 'string' ? english : (english.other ?? ''))
  // The others may leave the number out: they say it in a word.
  if (holes(sentences.other ?? '') !== wanted) return `its holes must be ${wanted === '' ? 'none' : wanted}`
  const strange = Object.values(sentences)
    .flatMap((sentence) => sentence.match(HOLE) ?? [])
    .find((hole) => !wanted.split(' ').includes(hole))
  return strange === undefined ? undefined : `it has no value for ${strange}`
}

const HOLE = /\{\w+\}/g
const holes = (sentence: string) => (sentence.match(HOLE) ?? []).toSorted().join(' ')
