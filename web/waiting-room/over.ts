import type { QueueStatus } from '../../src/contracts/shapes.ts'
import { overFacts, overRules } from '../../src/contracts/words/over.ts'
import { byId, drawFacts, element } from '../lib/dom.ts'
import { say } from '../lib/words.ts'
import type { Ticket } from './ticket.ts'

/** Tells those who go home without anything what happened, and by which rule. */
export function drawOver(status: QueueStatus, ticket: Ticket | undefined): void {
  drawFacts(byId('over-numbers'), overFacts(say, status, ticket))
  byId('fair').replaceChildren(...overRules(say, status).map((rule) => element('p', {}, rule)))
  byId('fair-draw').hidden = status.draw === null
  byId('over').hidden = false
}
