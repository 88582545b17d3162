import { ask, explain } from '../lib/api.ts'
import { byId, notice, setText } from '../lib/dom.ts'
import { backoffMs, pause, whenVisible } from '../lib/time.ts'
import { drawnIn, keptPromise } from '../../src/contracts/place.ts'
import { distanceS, pollDelayS } from '../../src/contracts/poll.ts'
import type { QueueStatus } from '../../src/contracts/shapes.ts'
import type { Key } from '../../src/contracts/words/say.ts'
import { ticketMemory } from '../waiting-room/ticket.ts'
import { say } from '../lib/words.ts'

/** The draw of one sale: what is published, whether it fits together, and what it makes of a lobby number. */
type Draw = NonNullable<QueueStatus['draw']>
const sale = decodeURIComponent(location.pathname.split('/')[1] ?? '')
const tickets = ticketMemory(sale)

setText(byId('sale'), sale)
setText(byId('sale-again'), sale)
byId('to-queue').setAttribute('href', `/${sale}`)
for (let failures = 0; ;) {
  await whenVisible()
  const answer = await ask<QueueStatus>(`/api/queue/${sale}`)
  if (answer.kind !== 'ok') {
    notice(byId('trouble'), explain(answer))
    await pause(answer.kind === 'problem' && answer.problem.status === 404 ? 60_000 : backoffMs(failures++))
    continue
  }
  failures = 0
  notice(byId('trouble'), undefined)
  const { draw } = answer.body
  if (draw === null) {
    setText(byId('lead'), say('draw.none'))
    break
  }
  show(draw, answer.body.opens_at)
  if (draw.secret !== null) break
  await pause(1000 * pollDelayS(answer.body.poll, distanceS(answer.body, {}), Math.random()))
}

function show(draw: Draw, opensAt: number): void {
  const drawn = draw.secret !== null
  setText(byId('lead'), drawn ? say('draw.held') : say('draw.coming', { moment: say.moment(opensAt) }))
  setText(byId('commitment'), draw.commitment)
  setText(byId('secret'), draw.secret ?? say('draw.at_opening'))
  setText(
    byId('lobby-size'),
    draw.lobby_size === null ? say('draw.size_at_opening') : String(draw.lobby_size),
  )
  setText(byId('tickets-hash'), draw.tickets_hash ?? say('draw.at_opening'))
  const kept = keptPromise(draw)
  judge('verdict', kept, ['draw.verified', 'draw.broken'])
  const seen = tickets.read()?.commitment
  judge('seen', seen === undefined ? undefined : seen === draw.commitment, ['draw.seen', 'draw.unseen'])
  byId('inputs').hidden = byId('own').hidden = false
  setText(byId('own-text'), ownText(draw))
  byId('check-form').hidden = !drawn
  byId('check-form').onsubmit = (event) => {
    event.preventDefault()
    setText(byId('check-answer'), placeOfIndex(draw, Number(byId('index', HTMLInputElement).value)))
  }
}

function judge(id: string, good: boolean | undefined, [yes, no]: readonly [Key, Key]): void {
  byId(id).hidden = good === undefined
  byId(id).dataset['good'] = String(good)
  setText(byId(id), say(good === true ? yes : no))
}

function ownText(draw: Draw): string {
  const ticket = tickets.read()
  if (ticket === undefined) return say('draw.own.none')
  if (ticket.lane !== undefined) return say('draw.own.lane')
  if (ticket.lobby_index === undefined) return say('draw.own.late', { position: ticket.position ?? 0 })
  if (draw.secret === null) return say('draw.own.index', { index: ticket.lobby_index })
  return `${placeOfIndex(draw, ticket.lobby_index)} ${say('draw.own.you')}`
}

function placeOfIndex(draw: Draw, index: number): string {
  const position = drawnIn(draw, index)
  const people = draw.lobby_size ?? 0
  return position === undefined
    ? say('draw.no_place', { index, count: people })
    : say('draw.place', { index, position, people })
}
