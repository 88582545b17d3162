import {
  inLane,
  type Place,
  placeOf,
  projectedServing,
  sellOutLikely,
  type Standing,
} from '../../src/contracts/place.ts'
import type { QueueStatus } from '../../src/contracts/shapes.ts'
import { aheadText, headingOf, placeText } from '../../src/contracts/words/place.ts'
import { byId, notice, setText } from '../lib/dom.ts'
import type { ServerClock } from '../lib/server-clock.ts'
import { say } from '../lib/words.ts'
import { createEstimate } from './estimate.ts'
import { drawOver } from './over.ts'
import type { Ticket } from './ticket.ts'

/** What the page shows: a place in line, or one of the ends a visit can come to. */
export type Scene =
  /** `ticket` undefined: nobody may join yet. */
  | { readonly kind: 'place'; readonly status: QueueStatus; readonly ticket: Ticket | undefined }
  | { readonly kind: 'entering' | 'lapsed' }
  /** `status`: the last word on it, where it is known. */
  | {
      readonly kind: 'sold_out' | 'ended' | 'post_sale'
      readonly status?: QueueStatus | undefined
      readonly ticket?: Ticket | undefined
    }
  | { readonly kind: 'refused'; readonly title: string; readonly detail: string; readonly rejoin: boolean }

export interface ViewParts {
  readonly clock: ServerClock
  /** Since when nothing has been heard of the server, by `performance.now()`; undefined while all is well. */
  readonly silentSince: () => number | undefined
}

const ANNOUNCE_EVERY_MS = 15_000

/** Draws the scene; between two polls `tick` moves the countdown and the numbers. */
export function createView({ clock, silentSince }: ViewParts) {
  const card = byId('wait')
  const heading = byId('heading')
  const countdown = byId('countdown')
  const text = byId('text')
  const progress = byId('progress', HTMLProgressElement)
  const announcer = byId('announcer')
  const estimate = createEstimate()
  let scene: Scene | undefined
  let announced = { kind: '', at: -Infinity }
  let servingShown = 0

  const announce = (kind: string, words: string) => {
    const now = performance.now()
    if (announced.kind === kind && now - announced.at < ANNOUNCE_EVERY_MS) return
    announced = { kind, at: now }
    setText(announcer, words)
  }

  const drawEnd = (title: string, detail: string, { rejoin = false, toShop = true } = {}) => {
    setText(heading, title)
    setText(text, detail)
    for (const part of ['countdown', 'hero', 'progress', 'facts', 'advice', 'outlook', 'tell-box'])
      byId(part).hidden = true
    byId('rejoin').hidden = !rejoin
    byId('shop').hidden = byId('orders').hidden = !toShop
    byId('shop').classList.toggle('quiet', rejoin)
    byId('actions').hidden = !rejoin && !toShop
    document.title = title
    announce(title, `${title}. ${detail}`)
  }

  /** The place as it is by now: the serving number moves on, the wait does not grow. */
  const placeNow = (everybody: QueueStatus, ticket: Ticket | undefined): Place => {
    const { lane, ...standing }: Standing = ticket ?? {}
    const status = inLane(everybody, lane)
    const place = placeOf(status, standing)
    if (!('ahead' in place)) return place
    // A projection may run ahead of a server that slowed down: what is shown waits for it, it never goes back. Of a
    // server that is not heard of nobody knows how fast it is.
    const silent = silentSince()
    const now = clock.now() - (silent === undefined ? 0 : performance.now() - silent)
    servingShown = Math.max(servingShown, projectedServing(status, place.position, now))
    const moved = placeOf({ ...status, now_serving: servingShown }, standing)
    if (!('ahead' in moved)) return place
    return { ...moved, wait_s: estimate.next(moved.wait_s, moved.kind === 'paused') }
  }

  const drawPlace = ({ status, ticket }: Extract<Scene, { kind: 'place' }>) => {
    const place = placeNow(status, ticket)
    const inLine = 'ahead' in place && place.kind !== 'lobby'
    const counted = place.kind === 'scheduled' ? (status.lobby_opens_at ?? status.opens_at) : status.opens_at
    const counts = place.kind === 'scheduled' || place.kind === 'lobby' || place.kind === 'draw'
    const moment = status.phase === 'lobby' || counts ? say.moment(counted) : ''
    const title = headingOf(say, place, ticket?.lane)
    card.dataset['kind'] = place.kind
    card.toggleAttribute('data-silent', silentSince() !== undefined)
    setText(heading, title)
    countdown.hidden = !counts
    setText(countdown, say.countdown(counted - clock.now()))
    byId('hero').hidden = !inLine || place.ahead === 0
    drawHero(inLine ? say.count(place.ahead) : '')
    setText(text, placeText(say, place, moment, true))
    drawFacts(place, status, servingShown)
    // What those of another line take is not known here.
    const likely = ticket?.lane === undefined && 'ahead' in place && sellOutLikely(status, place.ahead)
    notice(byId('outlook'), likely ? { title: '', detail: say('place.likely') } : undefined)
    progress.hidden = !inLine
    if (inLine) {
      const from = ticket?.firstServing ?? 0
      const walked = (servingShown - from) / Math.max(1, place.position - from)
      progress.value = Math.max(progress.value, Math.min(1, walked))
    }
    byId('advice').hidden = byId('tell-box').hidden = false
    byId('over').hidden = byId('actions').hidden = true
    byId('code-box').hidden = place.kind === 'scheduled' || ticket?.lane !== undefined
    document.title = titleOf(place)
    announce(place.kind, `${title}. ${placeText(say, place, moment)}`)
  }

  return {
    tick: () => {
      if (scene?.kind === 'place') drawPlace(scene)
    },
    /** What is said to everybody, wherever they stand. */
    tell: (status: QueueStatus) => {
      const { message, draw, rehearsal } = status
      byId('rehearsal').hidden = !rehearsal
      notice(
        byId('message'),
        message === '' ? undefined : { title: say('waiting-room.message'), detail: message },
      )
      byId('draw-link').hidden = draw === null
      setText(
        byId('order-advice'),
        say(draw === null ? 'waiting-room.while.fifo' : 'waiting-room.while.draw'),
      )
    },
    show: (next: Scene) => {
      scene = next
      if (next.kind === 'place') return drawPlace(next)
      card.dataset['kind'] = next.kind
      card.removeAttribute('data-silent')
      switch (next.kind) {
        case 'refused':
          return drawEnd(next.title, next.detail, { rejoin: next.rejoin })
        case 'sold_out':
        case 'ended':
        case 'post_sale':
          drawEnd(headingOf(say, { kind: next.kind }), placeText(say, { kind: next.kind }))
          if (next.status !== undefined) drawOver(next.status, next.ticket)
          return
        case 'entering':
          return drawEnd(say('place.turn'), say('waiting-room.entering'), { toShop: false })
        case 'lapsed':
          return drawEnd(say('problems.turn_lapsed'), say('problems.turn_lapsed.text'), { rejoin: true })
      }
    },
  }
}

function drawHero(number: string): void {
  const hero = byId('hero-number')
  setText(hero, number)
  hero.toggleAttribute('data-long', number.length > 7)
}

function drawFacts(place: Place, status: QueueStatus, serving: number): void {
  const inLine = 'ahead' in place
  const early = place.kind === 'lobby' || place.kind === 'draw'
  byId('facts').hidden = place.kind === 'scheduled' || place.kind === 'turn'
  const [number, people] =
    place.kind === 'draw' ? (['lobby_number', 'lobby_people'] as const) : (['number', 'ahead'] as const)
  setText(byId('position-label'), say(`waiting-room.${number}`))
  setText(
    byId('position'),
    say.count(place.kind === 'draw' ? place.lobby_index : inLine ? place.position : 0),
  )
  byId('serving-fact').hidden = early
  setText(byId('serving'), say.count(serving))
  byId('ahead-fact').hidden = !early
  setText(byId('ahead-label'), say(`waiting-room.${people}`))
  setText(
    byId('ahead'),
    place.kind === 'draw' ? say.count(place.people) : inLine ? aheadText(say, place.ahead) : '',
  )
  setText(byId('units'), say('common.of', { part: status.available, whole: status.total }))
}

function titleOf(place: Place): string {
  if (place.kind !== 'waiting') return headingOf(say, place)
  return place.ahead === 0
    ? say('waiting-room.next_title')
    : say('waiting-room.ahead_title', { count: place.ahead })
}
