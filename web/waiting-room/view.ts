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
import { createEstimate } from './estimate.ts'
import type { Ticket } from './ticket.ts'
import { say } from '../lib/words.ts'

/** What the page shows: a place in line, or one of the ends a visit can come to. */
export type Scene =
  /** `ticket` undefined: nobody may join yet. */
  | { readonly kind: 'place'; readonly status: QueueStatus; readonly ticket: Ticket | undefined }
  | { readonly kind: 'entering' | 'lapsed' | 'sold_out' | 'ended' | 'post_sale' }
  | { readonly kind: 'refused'; readonly title: string; readonly detail: string; readonly rejoin: boolean }

const ENDS = {
  entering: ['It is your turn', 'Taking you to the checkout…'],
  lapsed: [
    'Your turn has passed',
    'It was not taken in time, so that nobody waits behind an empty place. You can join again, at the end of the line.',
  ],
} as const

const ANNOUNCE_EVERY_MS = 15_000

/** Draws the scene; between two polls `tick` moves the countdown and the numbers. */
export function createView(clock: ServerClock) {
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

  const drawEnd = (title: string, detail: string, rejoin: boolean, toShop: boolean) => {
    setText(heading, title)
    setText(text, detail)
    for (const part of [countdown, progress, byId('facts'), byId('advice'), byId('outlook')])
      part.hidden = true
    byId('rejoin').hidden = !rejoin
    byId('shop').hidden = !toShop
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
    // A projection may run ahead of a server that slowed down: what is shown waits for it, it never goes back.
    servingShown = Math.max(servingShown, projectedServing(status, place.position, clock.now()))
    const moved = placeOf({ ...status, now_serving: servingShown }, standing)
    if (!('ahead' in moved)) return place
    return { ...moved, wait_s: estimate.next(moved.wait_s, moved.kind === 'paused') }
  }

  const drawPlace = ({ status, ticket }: Extract<Scene, { kind: 'place' }>) => {
    const place = placeNow(status, ticket)
    const counted = place.kind === 'scheduled' ? (status.lobby_opens_at ?? status.opens_at) : status.opens_at
    const counts = place.kind === 'scheduled' || place.kind === 'lobby' || place.kind === 'draw'
    const words = placeText(say, place, status.phase === 'lobby' || counts ? say.moment(counted) : '')
    setText(heading, headingOf(say, place, ticket?.lane))
    countdown.hidden = !counts
    setText(countdown, say.countdown(counted - clock.now()))
    setText(text, words)
    drawFacts(place, status, servingShown)
    // What those of another line take is not known here.
    const likely = ticket?.lane === undefined && 'ahead' in place && sellOutLikely(status, place.ahead)
    notice(byId('outlook'), likely ? { title: '', detail: say('place.likely') } : undefined)
    progress.hidden = !('ahead' in place) || place.kind === 'lobby'
    if ('ahead' in place) {
      const from = ticket?.firstServing ?? 0
      progress.value = Math.min(1, (servingShown - from) / Math.max(1, place.position - from))
    }
    byId('advice').hidden = false
    byId('actions').hidden = true
    byId('code-box').hidden = place.kind === 'scheduled' || ticket?.lane !== undefined
    document.title = titleOf(place)
    announce(place.kind, `${headingOf(say, place, ticket?.lane)}. ${words}`)
  }

  return {
    tick: () => {
      if (scene?.kind === 'place') drawPlace(scene)
    },
    /** What is said to everybody, wherever they stand. */
    tell: ({ message, draw }: QueueStatus) => {
      notice(byId('message'), message === '' ? undefined : { title: '', detail: message })
      byId('draw-link').hidden = draw === null
      if (draw !== null)
        setText(
          byId('order-advice'),
          'Whoever is here before the opening takes part in a draw for the order; whoever comes later stands behind them. More tabs do not help.',
        )
    },
    show: (next: Scene) => {
      scene = next
      switch (next.kind) {
        case 'place':
          return drawPlace(next)
        case 'refused':
          return drawEnd(next.title, next.detail, next.rejoin, true)
        case 'sold_out':
        case 'ended':
        case 'post_sale':
          return drawEnd(
            headingOf(say, { kind: next.kind }),
            placeText(say, { kind: next.kind }),
            false,
            true,
          )
        case 'entering':
        case 'lapsed': {
          const [title, detail] = ENDS[next.kind]
          return drawEnd(title, detail, next.kind === 'lapsed', next.kind !== 'entering')
        }
      }
    },
  }
}

function drawFacts(place: Place, status: QueueStatus, serving: number): void {
  const inLine = 'ahead' in place
  byId('facts').hidden = place.kind === 'scheduled' || place.kind === 'turn'
  setText(byId('position-label'), place.kind === 'draw' ? 'Your lobby number' : 'Your number')
  setText(
    byId('position'),
    say.count(place.kind === 'draw' ? place.lobby_index : inLine ? place.position : 0),
  )
  byId('serving-fact').hidden = !inLine || place.kind === 'lobby'
  setText(byId('serving'), say.count(serving))
  byId('ahead-fact').hidden = !inLine && place.kind !== 'draw'
  setText(byId('ahead-label'), place.kind === 'draw' ? 'People in the lobby' : 'People ahead of you')
  setText(
    byId('ahead'),
    place.kind === 'draw' ? say.count(place.people) : inLine ? aheadText(say, place.ahead) : '',
  )
  setText(byId('units'), `${say.count(status.available)} of ${say.count(status.total)}`)
}

function titleOf(place: Place): string {
  if (place.kind !== 'waiting') return headingOf(say, place)
  return place.ahead === 0 ? 'You are next' : `${say.count(place.ahead)} ahead of you`
}
