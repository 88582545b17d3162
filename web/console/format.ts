import { countdownParts, momentFormat } from '../../src/contracts/words/durations.ts'
import { formatCount, formatMoney as formatIn } from '../../src/contracts/words/money.ts'

/** The console is English; numbers and dates are as the browser's kind of English has them. */
export const LOCALE = navigator.language.startsWith('en') ? navigator.language : 'en-GB'
export const TIME_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone

const moment = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'medium' })
const toTheMinute = momentFormat(LOCALE)

/** "26 Nov 2026, 17:04:15", in the operator's own time zone. */
export const formatInstant = (ms: number) => moment.format(ms)
/** "Thu 26 Nov, 17:04 CET" */
export const formatMoment = (ms: number) => toTheMinute.format(ms)
export const formatMoney = (amount: number, currency: string) => formatIn(amount, currency, LOCALE)
export const count = (n: number) => formatCount(n, LOCALE)

/** A rate or a ratio as short as it can be told: 1,204; 12.5; 0.25. */
export function number(n: number): string {
  const maximumFractionDigits = Math.abs(n) >= 100 ? 0 : Math.abs(n) >= 10 ? 1 : 2
  return new Intl.NumberFormat(LOCALE, { maximumFractionDigits }).format(n)
}

export const signed = (n: number) => (n > 0 ? `+${number(n)}` : number(n))

/** "1 unit", "3 units". */
export const plural = (n: number, one: string) => `${count(n)} ${one}${n === 1 ? '' : 's'}`

/** "8 s", "5 min", "1 h 30 min", "2 d". */
export function duration(seconds: number): string {
  const s = Math.round(seconds)
  if (s < 60) return `${seconds < 10 ? number(seconds) : s} s`
  const two = (big: number, bigName: string, small: number, smallName: string) =>
    small === 0 ? `${big} ${bigName}` : `${big} ${bigName} ${small} ${smallName}`
  if (s < 3600) return two(Math.floor(s / 60), 'min', s % 60, 's')
  if (s < 86_400) return two(Math.floor(s / 3600), 'h', Math.floor((s % 3600) / 60), 'min')
  return two(Math.floor(s / 86_400), 'd', Math.floor((s % 86_400) / 3600), 'h')
}

/** "just now", "5 min ago"; `now` in ms. */
export function ago(ms: number, now = Date.now()): string {
  const s = (now - ms) / 1000
  if (s < 5) return 'just now'
  if (s < 60) return `${Math.round(s)} s ago`
  if (s < 3600) return `${Math.round(s / 60)} min ago`
  return s < 86_400 ? `${Math.round(s / 3600)} h ago` : `${Math.round(s / 86_400)} d ago`
}

/** "payment_timeout" as words: "payment timeout". */
export const words = (code: string) => code.toLowerCase().replaceAll(/[._]/g, ' ')

/** What is left until `ms` from now: "2 d 03:04:05", "04:05". */
export function formatCountdown(ms: number): string {
  const { days, time } = countdownParts(ms)
  return days > 0 ? `${days} d ${time}` : time
}
