import type { Place } from '../place.ts'
import { formatWait } from './durations.ts'
import { formatCount } from './money.ts'

/** A place in words, for eyes and screen readers, in pages with and without scripts. */
const HEADINGS = {
  scheduled: 'The waiting room opens in',
  draw: 'The sale opens in',
  lobby: 'The sale opens in',
  waiting: 'You are in line',
  paused: 'The sale is paused',
  held_out: 'All taken for now',
  turn: 'It is your turn',
  sold_out: 'Sold out',
  ended: 'The sale has ended',
  post_sale: 'This sale is over',
} as const satisfies Record<Place['kind'], string>

/** `lane`: of a group, where the place is in its line. */
export function headingOf(place: Place, lane?: string): string {
  if (place.kind === 'waiting' && lane !== undefined) return 'You are in the line of your group'
  // The turn has come, and there is nothing to go in for.
  return place.kind === 'turn' && !place.room ? HEADINGS.held_out : HEADINGS[place.kind]
}

/** One or two sentences beside the heading. `moment`: the opening in words, where it is still to come. */
export function placeText(place: Place, moment = ''): string {
  switch (place.kind) {
    case 'scheduled':
      return `${sentence(moment)}Coming earlier gains nothing: you can leave this page open, and it takes a place for you.`
    case 'draw':
      return `${sentence(moment)}You are in. When the sale opens, the order of everybody in the lobby is drawn by lot: when you came makes no difference.`
    case 'lobby': {
      const after =
        place.wait_s === null || place.ahead === 0
          ? ''
          : ` Once it opens, your turn comes in ${formatWait(place.wait_s)}.`
      return `${sentence(moment)}You have a place already. ${place.ahead === 0 ? 'You are first in line.' : people(place.ahead) + after}`
    }
    case 'waiting':
      return place.wait_s === null
        ? `${people(place.ahead)} The line has slowed down: nobody can say how long it takes.`
        : `${people(place.ahead)} Your turn comes in ${formatWait(place.wait_s)}.`
    case 'paused':
      return `The shop has stopped the line for a moment. ${people(place.ahead)} Your place is kept.`
    case 'held_out':
      return `Every unit is in somebody's checkout. Some may not be paid for and come back. ${people(place.ahead)} Your place is kept.`
    case 'turn':
      return place.room
        ? 'We let you in as soon as there is room. Please keep this page open: it asks for you, and whoever asks is let in in order.'
        : "It is your turn, but every unit is in somebody's checkout right now. We let you in as soon as one comes back: please keep this page open."
    case 'sold_out':
      return 'Every unit has been paid for. Thank you for waiting: everybody was served in order.'
    case 'ended':
      return 'Thank you for coming. Nobody is let in any more.'
    case 'post_sale':
      return 'Thank you for your interest. What was bought is found under “My orders”.'
  }
}

/** Said where it is likely, and only then. */
export const SELL_OUT_TEXT = 'It is likely that everything is sold before your turn comes.'

export function aheadText(ahead: number): string {
  return ahead === 0 ? 'nobody' : formatCount(ahead)
}

function people(ahead: number): string {
  if (ahead === 0) return 'You are next.'
  return `${formatCount(ahead)} ${ahead === 1 ? 'person is' : 'people are'} ahead of you.`
}

function sentence(moment: string): string {
  return moment === '' ? '' : `${moment}. `
}
