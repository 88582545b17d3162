import { byId, notice, setText } from '../lib/dom.ts'
import { formatCountdown, formatMoment } from '../lib/durations.ts'
import { formatCount } from '../lib/money.ts'
import type { ServerClock } from '../lib/server-clock.ts'
import type { QueueStatus } from '../lib/types.ts'
import { type Place, placeOf, placeText, projectedServing } from './place.ts'

/** What the page shows: a place in line, or one of the ends a visit can come to. */
export type Scene =
  | {
      readonly kind: 'place'
      readonly status: QueueStatus
      readonly position: number
      readonly firstServing: number
    }
  | { readonly kind: 'entering' | 'lapsed' | 'sold_out' | 'ended' }
  | { readonly kind: 'refused'; readonly title: string; readonly detail: string; readonly rejoin: boolean }

const HEADINGS = {
  lobby: 'The sale opens in',
  waiting: 'You are in line',
  paused: 'The sale is paused',
  held_out: 'All taken for now',
  turn: 'It is your turn',
  sold_out: 'Sold out',
  ended: 'The sale has ended',
} as const satisfies Record<Place['kind'], string>

const ENDS = {
  entering: ['It is your turn', 'Taking you to the checkout…'],
  lapsed: [
    'Your turn has passed',
    'It was not taken in time, so that nobody waits behind an empty place. You can join again, at the end of the line.',
  ],
  sold_out: [
    'Sold out',
    'Every unit has been paid for. Thank you for waiting: everybody was served in order of arrival.',
  ],
  ended: ['The sale has ended', 'Thank you for coming. Nobody is let in any more.'],
} as const

const ANNOUNCE_EVERY_MS = 15_000

/** Draws the scene; between two polls `tick` moves the countdown and the numbers. */
export function createView(clock: ServerClock) {
  const heading = byId('heading')
  const countdown = byId('countdown')
  const text = byId('text')
  const progress = byId('progress', HTMLProgressElement)
  const announcer = byId('announcer')
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
    for (const part of [countdown, progress, byId('facts'), byId('advice')]) part.hidden = true
    byId('rejoin').hidden = !rejoin
    byId('shop').hidden = !toShop
    byId('actions').hidden = !rejoin && !toShop
    document.title = title
    announce(title, `${title}. ${detail}`)
  }

  const drawPlace = ({ status, position, firstServing }: Extract<Scene, { kind: 'place' }>) => {
    const now = clock.now()
    // A projection may run ahead of a server that slowed down: what is shown waits for it, it never goes back.
    servingShown = Math.max(servingShown, projectedServing(status, position, now))
    const place = placeOf({ ...status, now_serving: servingShown }, position)
    if (!('ahead' in place)) return
    setText(heading, HEADINGS[place.kind])
    countdown.hidden = place.kind !== 'lobby'
    if (place.kind === 'lobby') setText(countdown, formatCountdown(status.opens_at - now))
    setText(text, sentence(place, status))
    progress.hidden = place.kind === 'lobby'
    progress.value = Math.min(1, (servingShown - firstServing) / Math.max(1, position - firstServing))
    byId('facts').hidden = byId('advice').hidden = false
    byId('actions').hidden = true
    setText(byId('position'), formatCount(position))
    setText(byId('serving'), place.kind === 'lobby' ? 'not yet' : formatCount(servingShown))
    setText(byId('units'), `${formatCount(status.available)} of ${formatCount(status.total)}`)
    document.title =
      place.kind === 'waiting' ? `${formatCount(place.ahead)} ahead of you` : HEADINGS[place.kind]
    announce(place.kind, `${HEADINGS[place.kind]}. ${placeText(place)}`)
  }

  const tick = () => {
    if (scene?.kind === 'place') drawPlace(scene)
  }

  return {
    tick,
    show: (next: Scene) => {
      scene = next
      switch (next.kind) {
        case 'place':
          notice(
            byId('message'),
            next.status.message === '' ? undefined : { title: '', detail: next.status.message },
          )
          return drawPlace(next)
        case 'refused':
          return drawEnd(next.title, next.detail, next.rejoin, true)
        case 'entering':
        case 'lapsed':
        case 'sold_out':
        case 'ended': {
          const [title, detail] = ENDS[next.kind]
          return drawEnd(title, detail, next.kind === 'lapsed', next.kind !== 'entering')
        }
      }
    },
    /** A new place starts its own count. */
    reset: () => (servingShown = 0),
  }
}

function sentence(place: Extract<Place, { ahead: number }>, status: QueueStatus): string {
  switch (place.kind) {
    case 'lobby':
      return `${formatMoment(status.opens_at)}. You have a place already. ${placeText(place)}`
    case 'held_out':
      return `Every unit is in somebody's checkout. Some may not be paid for and come back. ${placeText(place)}`
    case 'paused':
      return `The shop has stopped the line for a moment. ${placeText(place)}`
    case 'waiting':
      return placeText(place)
  }
}
