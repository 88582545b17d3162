import { ask, explain } from '../lib/api.ts'
import { byId, notice, setText } from '../lib/dom.ts'
import { backoffMs, pause, whenVisible } from '../lib/time.ts'
import { drawnIn, keptPromise } from '../../src/contracts/place.ts'
import { distanceS, pollDelayS } from '../../src/contracts/poll.ts'
import type { QueueStatus } from '../../src/contracts/shapes.ts'
import { ticketMemory } from '../waiting-room/ticket.ts'
import { say } from '../lib/words.ts'

/** The draw of one sale: what is published, whether it fits together, and what it makes of a lobby number. */
type Draw = NonNullable<QueueStatus['draw']>
const sale = decodeURIComponent(location.pathname.split('/')[1] ?? '')
const tickets = ticketMemory(sale)

setText(byId('sale'), sale)
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
    setText(byId('lead'), 'This sale has no draw: people are served in order of arrival.')
    break
  }
  show(draw, answer.body.opens_at)
  if (draw.secret !== null) break
  await pause(1000 * pollDelayS(answer.body.poll, distanceS(answer.body, {}), Math.random()))
}

function show(draw: Draw, opensAt: number): void {
  const drawn = draw.secret !== null
  setText(
    byId('lead'),
    drawn
      ? 'The draw has been held. Everything that went into it is below.'
      : `The order of everybody in the lobby is drawn by lot at the opening, ${say.moment(opensAt)}.`,
  )
  setText(byId('commitment'), draw.commitment)
  setText(byId('secret'), draw.secret ?? 'published at the opening')
  setText(byId('lobby-size'), draw.lobby_size === null ? 'known at the opening' : String(draw.lobby_size))
  setText(byId('tickets-hash'), draw.tickets_hash ?? 'published at the opening')
  const kept = keptPromise(draw)
  judge('verdict', kept, [
    'Verified: the secret is the one that was promised.',
    'This does not fit: the secret is not the one that was promised.',
  ])
  const seen = tickets.read()?.commitment
  judge('seen', seen === undefined ? undefined : seen === draw.commitment, [
    'The commitment is the one this browser saw when it took its place.',
    'The commitment is not the one this browser saw when it took its place.',
  ])
  byId('inputs').hidden = byId('own').hidden = false
  setText(byId('own-text'), ownText(draw))
  byId('check-form').hidden = !drawn
  byId('check-form').onsubmit = (event) => {
    event.preventDefault()
    setText(byId('check-answer'), placeOfIndex(draw, Number(byId('index', HTMLInputElement).value)))
  }
}

function judge(id: string, good: boolean | undefined, [yes, no]: readonly [string, string]): void {
  byId(id).hidden = good === undefined
  byId(id).dataset['good'] = String(good)
  setText(byId(id), good === true ? yes : no)
}

function ownText(draw: Draw): string {
  const ticket = tickets.read()
  if (ticket === undefined) return 'This browser has no place in this sale.'
  if (ticket.lane !== undefined) return 'You stand in the line of a group, which is not part of the draw.'
  if (ticket.lobby_index === undefined)
    return `You came after the opening: your place is ${say.count(ticket.position ?? 0)}, behind the lobby.`
  if (draw.secret === null)
    return `Your lobby number is ${say.count(ticket.lobby_index)}. Your place is drawn at the opening.`
  return `${placeOfIndex(draw, ticket.lobby_index)} That is you, computed in your browser just now.`
}

function placeOfIndex(draw: Draw, index: number): string {
  const position = drawnIn(draw, index)
  return position === undefined
    ? `There is no lobby number ${say.count(index)}: there were ${say.count(draw.lobby_size ?? 0)} people.`
    : `Lobby number ${say.count(index)} has place ${say.count(position)} of ${say.count(draw.lobby_size ?? 0)}.`
}
