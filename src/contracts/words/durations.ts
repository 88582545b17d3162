/** Whole days, and "1:02:03" or "04:05" beside them, rounded up so that 0 means it is time. */
export function countdownParts(ms: number): { readonly days: number; readonly time: string } {
  const left = Math.max(0, Math.ceil(ms / 1000))
  const [days, hours, minutes, seconds] = [
    Math.floor(left / 86_400),
    Math.floor(left / 3600) % 24,
    Math.floor(left / 60) % 60,
    left % 60,
  ]
  const two = (n: number) => String(n).padStart(2, '0')
  if (days > 0) return { days, time: `${two(hours)}:${two(minutes)}:${two(seconds)}` }
  const time = hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${two(minutes)}:${two(seconds)}`
  return { days, time }
}

/** "5 minutes", or "90 seconds": rounded down, so that nobody is promised more than there is. */
export function formatSpan(seconds: number, locale: string): string {
  const [count, unit] = seconds < 120 ? [seconds, 'second'] : [seconds / 60, 'minute']
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(Math.floor(count))
}

/** The day of the week and the time, with the time zone's name: for what is near. */
export function momentFormat(locale: string, timeZone?: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(locale, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
    ...(timeZone === undefined ? {} : { timeZone }),
  })
}

/** A date that is still clear in years. */
export function dateFormat(locale: string, timeZone?: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(locale, {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
    ...(timeZone === undefined ? {} : { timeZone }),
  })
}
