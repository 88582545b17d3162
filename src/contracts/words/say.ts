import type card from '../../../words/en/card.json'
import type checkout from '../../../words/en/checkout.json'
import type common from '../../../words/en/common.json'
import type decline from '../../../words/en/decline.json'
import type draw from '../../../words/en/draw.json'
import type edge from '../../../words/en/edge.json'
import type mail from '../../../words/en/mail.json'
import type order from '../../../words/en/order.json'
import type orders from '../../../words/en/orders.json'
import type plain from '../../../words/en/plain.json'
import type place from '../../../words/en/place.json'
import type problems from '../../../words/en/problems.json'
import type questions from '../../../words/en/questions.json'
import type shop from '../../../words/en/shop.json'
import type stock from '../../../words/en/stock.json'
import type waitingRoom from '../../../words/en/waiting-room.json'
import { countdownParts, dateFormat, formatSpan, momentFormat } from './durations.ts'
import { formatCount, formatMoney } from './money.ts'

/** The languages of the pages: each has a folder in `words/` and nothing else. */
export const LANGUAGES = ['en', 'de', 'es', 'fr', 'ja', 'ar'] as const
export type Language = (typeof LANGUAGES)[number]

/** How each calls itself. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  en: 'English',
  de: 'Deutsch',
  es: 'Español',
  fr: 'Français',
  ja: '日本語',
  ar: 'العربية',
}

export const isLanguage = (text: string | null | undefined): text is Language =>
  LANGUAGES.some((language) => language === text)

export const directionOf = (language: Language): 'ltr' | 'rtl' => (language === 'ar' ? 'rtl' : 'ltr')

/** A sentence with `{holes}`, or one for each plural category of the language, chosen by `{count}`. */
export type Message = string | Readonly<Partial<Record<Intl.LDMLPluralRule, string>>>
/** The messages of one file of `words/`. */
export type Topic = Readonly<Record<string, Message>>
export type Topics = Readonly<Record<string, Topic>>

/** The files of `words/`, by what English has in them; the other languages have the same, as a test checks. */
interface English {
  readonly card: typeof card
  readonly checkout: typeof checkout
  readonly common: typeof common
  readonly decline: typeof decline
  readonly draw: typeof draw
  readonly edge: typeof edge
  readonly mail: typeof mail
  readonly order: typeof order
  readonly orders: typeof orders
  readonly place: typeof place
  readonly plain: typeof plain
  readonly problems: typeof problems
  readonly questions: typeof questions
  readonly shop: typeof shop
  readonly stock: typeof stock
  readonly 'waiting-room': typeof waitingRoom
}
export type TopicName = keyof English
/** "place.waiting": the file and the message in it. */
export type Key = { [Name in TopicName]: `${Name}.${keyof English[Name] & string}` }[TopicName]
export type Values = Readonly<Record<string, string | number>>

/** Says things in one language. */
export interface Say {
  /** Numbers among the values get the separators of the language. Throws RangeError for a message or value that is missing. */
  (key: Key, values?: Values): string
  readonly language: Language
  readonly has: (key: string) => key is Key
  readonly count: (count: number) => string
  /** `amount` in minor units. */
  readonly money: (amount: number, currency: string) => string
  /** "2 d 03:04:05", "1:02:03", "04:05": what is left of `ms`, rounded up so that 0 means it is time. */
  readonly countdown: (ms: number) => string
  /** No more exact than an estimate is: "less than a minute", "about 5 minutes", "about 2 hours". */
  readonly wait: (seconds: number) => string
  /** How long exactly, in whole minutes or seconds: "5 minutes". */
  readonly span: (seconds: number) => string
  /** Date and time in the reader's own time zone, with its name. */
  readonly moment: (ms: number) => string
  /** A date that is still clear in years, for a receipt. */
  readonly date: (ms: number) => string
}

export interface Speaker {
  readonly language: Language
  readonly topics: Topics
  /** Of numbers and dates; by default that of the language. */
  readonly locale?: string
  /** By default that of this machine: the reader's own, in a browser. */
  readonly timeZone?: string
}

/** Where nobody says which country's: days come before months in most. */
const DEFAULTS: Partial<Record<Language, string>> = { en: 'en-GB' }

export function createSay({
  language,
  topics,
  locale: wanted = DEFAULTS[language] ?? language,
  timeZone,
}: Speaker): Say {
  const locale = inLatinDigits(wanted)
  const plural = new Intl.PluralRules(language)
  const find = (key: string) => {
    const [topic = '', ...rest] = key.split('.')
    return topics[topic]?.[rest.join('.')]
  }
  const count = (value: number) => formatCount(value, locale)
  const say = (key: Key, values: Values = {}) => {
    const message = find(key)
    if (message === undefined) throw new RangeError(`the words (${language}) have no ${key}`)
    return template(message, plural, values).replace(/\{(\w+)\}/g, (_, hole: string) => {
      const value = values[hole]
      if (value === undefined) throw new RangeError(`${key} needs a value for ${hole}`)
      return typeof value === 'number' ? count(value) : value
    })
  }
  const wait = (seconds: number) => {
    if (seconds < 60) return say('common.wait.moment')
    const minutes = Math.ceil(seconds / 60)
    if (minutes < 60) return say('common.wait.minutes', { count: minutes })
    return say('common.wait.hours', { count: Math.max(1, Math.round(seconds / 3600)) })
  }
  return Object.assign(say, {
    ...{ language, count, wait },
    has: (key: string): key is Key => find(key) !== undefined,
    money: (amount: number, currency: string) => formatMoney(amount, currency, locale),
    countdown: (ms: number) => {
      const { days, time } = countdownParts(ms)
      return days === 0 ? time : say('common.days', { count: days, time })
    },
    span: (seconds: number) => formatSpan(seconds, locale),
    moment: (ms: number) => momentFormat(locale, timeZone).format(ms),
    date: (ms: number) => dateFormat(locale, timeZone).format(ms),
  })
}

function template(message: Message, plural: Intl.PluralRules, { count }: Values): string {
  if (typeof message === 'string') return message
  const found = message[plural.select(Number(count))] ?? message.other
  if (found === undefined) throw new RangeError('a plural message without "other"')
  return found
}

/** Latin digits everywhere: a place that is read out must be found again in an address or a receipt. */
const inLatinDigits = (locale: string) => new Intl.Locale(locale, { numberingSystem: 'latn' }).toString()
