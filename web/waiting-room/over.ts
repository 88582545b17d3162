import { positionIn } from '../../src/contracts/place.ts'
import type { QueueStatus } from '../../src/contracts/shapes.ts'
import { byId, setText } from '../lib/dom.ts'
import { say } from '../lib/words.ts'
import type { Ticket } from './ticket.ts'

/** Tells those who go home without anything what happened: in numbers, and by which rule. */
export function drawOver(status: QueueStatus, ticket: Ticket | undefined): void {
  const { sold, total, now_serving, last_position, draw, lanes } = status
  setText(byId('over-sold'), say('common.of', { part: sold, whole: total }))
  setText(byId('over-line'), say.count(last_position))
  setText(byId('over-served'), say.count(Math.min(now_serving, last_position)))
  const number = ticket === undefined ? undefined : positionIn(status, ticket)
  byId('over-mine').hidden = number === undefined
  setText(byId('over-number'), number === undefined ? '' : say.count(number))
  byId('fair-draw').hidden = draw === null
  byId('fair-fifo').hidden = draw !== null
  byId('fair-lanes').hidden = Object.keys(lanes).length === 0
  byId('over').hidden = false
}
