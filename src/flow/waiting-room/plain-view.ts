import type { SaleId } from '../../contracts/ids.ts'
import { type Place, sellOutLikely, type Standing } from '../../contracts/place.ts'
import { overFacts, overRules } from '../../contracts/words/over.ts'
import { aheadText, headingOf, placeText } from '../../contracts/words/place.ts'
import { problemText } from '../../contracts/words/problem.ts'
import type { Problem } from '../../platform/errors.ts'
import type { PlainWriter } from '../../platform/plain-pages.ts'
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

interface Over {
  readonly place: Extract<Place, { kind: 'sold_out' | 'ended' | 'post_sale' }>
  readonly status: QueueStatus
  readonly standing: Standing | undefined
}

/** The pages of the waiting room for browsers without scripts; `page` answers one request. */
export function plainView(
  { say, part, nothing, path, send }: PlainWriter,
  { shopUrl }: { readonly shopUrl: string },
) {
  /** Nobody tells a server where the reader is; the wait beside it needs no time zone. */
  const momentText = (moment: number, now: number) => {
    const left = moment - now
    return left > 0
      ? say('plain.in_time', { moment: say.moment(moment), wait: say.wait(left / 1000) })
      : say.moment(moment)
  }
  /** No countdown stands below these headings here. */
  const titleOf = (place: Place, lane: string | undefined) =>
    place.kind === 'scheduled' || place.kind === 'lobby' || place.kind === 'draw'
      ? say(`plain.${place.kind}`)
      : headingOf(say, place, lane)
  const fact = (name: string, value: string) => part('fact', { name, value })
  const units = ({ available, total }: QueueStatus) =>
    fact(say('plain.units_left'), say('common.of', { part: available, whole: total }))
  const said = ({ message }: QueueStatus) => (message === '' ? [] : [part('notice', { text: message })])

  const facts = (place: Place): Html[] => {
    if (place.kind === 'draw')
      return [
        fact(say('plain.lobby_number'), say.count(place.lobby_index)),
        fact(say('plain.lobby_people'), say.count(place.people)),
      ]
    if (!('position' in place)) return []
    const number = fact(say('plain.number'), say.count(place.position))
    return 'ahead' in place ? [number, fact(say('plain.ahead'), aheadText(say, place.ahead))] : [number]
  }

  return {
    wait: ({ sale, status, place, lane, afterS }: Wait): Response => {
      const scheduled = place.kind === 'scheduled'
      const moment = scheduled ? (status.lobby_opens_at ?? status.opens_at) : status.opens_at
      const early = scheduled || status.phase === 'lobby'
      // What those of another line take is not known here.
      const likely = lane === undefined && 'ahead' in place && sellOutLikely(status, place.ahead)
      const title = titleOf(place, lane)
      return send({
        title,
        refresh: { afterS },
        content: part('wait', {
          room: say('plain.waiting_room', { sale }),
          title,
          text: placeText(say, place, early ? momentText(moment, status.server_time) : ''),
          facts:
            scheduled || place.kind === 'turn'
              ? nothing
              : part('facts', { facts: [...facts(place), units(status)] }),
          notices: [...(likely ? [part('notice', { text: say('place.likely') })] : []), ...said(status)],
          path,
        }),
      })
    },
    /** The way in, for whoever holds no place. */
    door: ({ sale, status, nonce, code = '', again = false, question, refusal }: Door): Response => {
      const early = status.phase === 'lobby'
      const refused = refusal && problemText(say, refusal.body())
      return send({
        title: say('plain.join'),
        status: refusal?.status ?? 200,
        content: part('door', {
          room: say('plain.waiting_room', { sale }),
          title: say(early ? 'plain.lobby_open' : 'plain.join'),
          text: early
            ? say('plain.lobby_open.text', { moment: momentText(status.opens_at, status.server_time) })
            : say('plain.join.text'),
          facts: part('facts', { facts: [units(status)] }),
          refusal:
            refused === undefined ? nothing : part('refusal', { title: refused.title, text: refused.detail }),
          again: again ? part('again-field') : nothing,
          question: question === undefined ? nothing : part('question', { ...question }),
          notices: said(status),
          path,
          nonce,
          code,
        }),
      })
    },
    /** Nothing to wait for any more. */
    over: ({ place, status, standing }: Over): Response => {
      const message = {
        title: headingOf(say, place),
        text: placeText(say, place),
        actions: part('link', { href: `${shopUrl}/`, text: say('common.to_shop') }),
      }
      const told = {
        facts: overFacts(say, status, standing).map(([name, value]) => fact(name, value)),
        rules: overRules(say, status).map((text) => part('paragraph', { text })),
      }
      return send({
        title: message.title,
        // A status that does not know of the end yet has no last numbers.
        content:
          status.phase === place.kind ? part('over', { ...message, ...told }) : part('message', message),
      })
    },
  }
}
