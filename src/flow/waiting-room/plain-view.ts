import type { Context } from 'hono'
import type { SaleId } from '../../contracts/ids.ts'
import { type Place, sellOutLikely } from '../../contracts/place.ts'
import { formatMoment, formatWait } from '../../contracts/words/durations.ts'
import { formatCount } from '../../contracts/words/money.ts'
import { aheadText, headingOf, placeText, SELL_OUT_TEXT } from '../../contracts/words/place.ts'
import type { Problem } from '../../platform/errors.ts'
import type { AppEnv } from '../../platform/http.ts'
import type { PlainPages } from '../../platform/plain-pages.ts'
import type { Html } from '../../platform/templates.ts'
import type { QueueStatus } from './status.ts'

interface Door {
  readonly sale: SaleId
  readonly status: QueueStatus
  /** Makes a form that is sent twice one join. */
  readonly nonce: string
  readonly code?: string
  /** The form gives up the place that is kept. */
  readonly again?: boolean
  readonly question?: { readonly question: string; readonly token: string }
  readonly refusal?: Problem
}

interface Wait {
  readonly sale: SaleId
  readonly status: QueueStatus
  readonly place: Place
  /** Of a group, where the place is in its line. */
  readonly lane: string | undefined
  /** Seconds until the page asks again. */
  readonly afterS: number
}

const LOCALE = 'en-GB'
/** Nobody tells a server where the reader is; the wait beside it needs no time zone. */
const momentText = (moment: number, now: number) => {
  const left = moment - now
  return `${formatMoment(moment, LOCALE, 'UTC')}${left > 0 ? `, in ${formatWait(left / 1000)}` : ''}`
}

/** The pages of the waiting room for browsers without scripts. */
export function createPlainView({ pages, shopUrl }: { pages: PlainPages; shopUrl: string }) {
  const { part, nothing } = pages
  const fact = (name: string, value: string) => part('fact', { name, value })
  const units = ({ available, total }: QueueStatus) =>
    fact('Units left', `${formatCount(available)} of ${formatCount(total)}`)
  const said = ({ message }: QueueStatus) => (message === '' ? [] : [part('notice', { text: message })])

  const wait = (c: Context<AppEnv>, { sale, status, place, lane, afterS }: Wait): Response => {
    const scheduled = place.kind === 'scheduled'
    const moment = scheduled ? (status.lobby_opens_at ?? status.opens_at) : status.opens_at
    const early = scheduled || status.phase === 'lobby'
    const after = Math.ceil(afterS)
    // What those of another line take is not known here.
    const likely = lane === undefined && 'ahead' in place && sellOutLikely(status, place.ahead)
    const title = TITLES[place.kind] ?? headingOf(place, lane)
    return pages.send(c, {
      title,
      refresh: { afterS: after },
      content: part('wait', {
        sale,
        title,
        text: placeText(place, early ? momentText(moment, status.server_time) : ''),
        facts:
          scheduled || place.kind === 'turn'
            ? nothing
            : part('facts', { facts: [...facts(place), units(status)] }),
        notices: [...(likely ? [part('notice', { text: SELL_OUT_TEXT })] : []), ...said(status)],
        after,
        path: c.req.path,
      }),
    })
  }

  const facts = (place: Place): Html[] => {
    if (place.kind === 'draw')
      return [
        fact('Your lobby number', formatCount(place.lobby_index)),
        fact('People in the lobby', formatCount(place.people)),
      ]
    if (!('position' in place)) return []
    const number = fact('Your number', formatCount(place.position))
    return 'ahead' in place ? [number, fact('People ahead of you', aheadText(place.ahead))] : [number]
  }

  return {
    wait,
    /** The way in, for whoever holds no place. */
    door: (
      c: Context<AppEnv>,
      { sale, status, nonce, code = '', again = false, question, refusal }: Door,
    ): Response => {
      const early = status.phase === 'lobby'
      return pages.send(c, {
        title: 'Join the line',
        status: refusal?.status ?? 200,
        content: part('door', {
          sale,
          title: early ? 'The lobby is open' : 'Join the line',
          text: early
            ? `The sale opens ${momentText(status.opens_at, status.server_time)}. Take a place now, and you are there when it does.`
            : 'Take a place, and you are let in when your turn comes.',
          facts: part('facts', { facts: [units(status)] }),
          refusal:
            refusal === undefined
              ? nothing
              : part('refusal', { title: refusal.body().title, text: refusal.detail ?? '' }),
          again: again ? part('again-field') : nothing,
          question: question === undefined ? nothing : part('question', { ...question }),
          notices: said(status),
          path: c.req.path,
          nonce,
          code,
        }),
      })
    },
    /** Nothing to wait for any more. */
    over: (
      c: Context<AppEnv>,
      place: Extract<Place, { kind: 'sold_out' | 'ended' | 'post_sale' }>,
    ): Response =>
      pages.send(c, {
        title: headingOf(place),
        content: part('message', {
          title: headingOf(place),
          text: placeText(place),
          actions: part('link', { href: `${shopUrl}/`, text: 'Back to the shop' }),
        }),
      }),
  }
}

/** No countdown stands below these headings here. */
const TITLES: Partial<Record<Place['kind'], string>> = {
  scheduled: 'The waiting room is not open yet',
  lobby: 'You are in the lobby',
  draw: 'You are in the draw',
}
