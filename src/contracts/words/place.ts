import type { Place } from '../place.ts'
import type { Say } from './say.ts'

/** A place in words, for eyes and screen readers, in pages with and without scripts. */

/** `lane`: of a group, where the place is in its line. */
export function headingOf(say: Say, place: Place, lane?: string): string {
  if (place.kind === 'waiting' && lane !== undefined) return say('place.waiting.lane')
  // The turn has come, and there is nothing to go in for.
  return say(place.kind === 'turn' && !place.room ? 'place.held_out' : `place.${place.kind}`)
}

/**
 * One or two sentences beside the heading. `moment`: the opening in words, where it is still to come. `counted`: the
 * number of people ahead stands beside them already.
 */
export function placeText(say: Say, place: Place, moment = '', counted = false): string {
  const opening = moment === '' ? [] : [`${moment}.`]
  const text = (...sentences: string[]) => [...opening, ...sentences].join(' ')
  switch (place.kind) {
    case 'scheduled':
    case 'draw':
      return text(say(`place.${place.kind}.text`))
    case 'lobby':
      return place.ahead === 0
        ? text(say('place.lobby.text'), say('place.lobby.first'))
        : text(
            say('place.lobby.text'),
            people(say, place.ahead),
            ...(place.wait_s === null ? [] : [say('place.lobby.wait', { wait: say.wait(place.wait_s) })]),
          )
    case 'waiting':
      return [
        ...(counted && place.ahead > 0 ? [] : [people(say, place.ahead)]),
        place.wait_s === null
          ? say('place.waiting.unknown')
          : say('place.waiting.wait', { wait: say.wait(place.wait_s) }),
      ].join(' ')
    case 'paused':
    case 'held_out':
      return say(`place.${place.kind}.text`, { people: counted ? '' : people(say, place.ahead) }).replace(
        '  ',
        ' ',
      )
    case 'turn':
      return say(place.room ? 'place.turn.text' : 'place.turn.held')
    case 'sold_out':
    case 'ended':
    case 'post_sale':
      return say(`place.${place.kind}.text`)
  }
}

export function aheadText(say: Say, ahead: number): string {
  return ahead === 0 ? say('place.nobody') : say.count(ahead)
}

function people(say: Say, ahead: number): string {
  return ahead === 0 ? say('place.next') : say('place.people', { count: ahead })
}
