import { type Answer, ask, explain, type Refused } from '../lib/api.ts'
import { config } from '../lib/config.ts'
import { byId, notice, setText } from '../lib/dom.ts'
import { createServerClock } from '../lib/server-clock.ts'
import { backoffMs, everyTick, pause, whenVisible } from '../lib/time.ts'
import type { EnterAnswer, QueueStatus } from '../lib/types.ts'
import { placeOf } from '../waiting-room/place.ts'
import { distanceS, pollDelayS } from '../waiting-room/poll.ts'
import { createTickets, type Ticket } from '../waiting-room/ticket.ts'
import { createView, type Scene } from '../waiting-room/view.ts'

/** The waiting room: takes a place, watches the public status, goes in by itself when the turn has come. */
const sale = decodeURIComponent(location.pathname.slice(1))
const tickets = createTickets(sale)
const clock = createServerClock()
const view = createView(clock)

setText(byId('sale'), sale)
byId('shop').setAttribute('href', `${config.shop_url}/`)
byId('rejoin').addEventListener('click', () => {
  tickets.drop()
  location.reload()
})
// The shop sends people here for a new place once their pass is used up.
if (location.hash === '#new') {
  tickets.drop()
  history.replaceState(null, '', location.pathname)
}
everyTick(view.tick)
view.show(await visit())

/** One visit, until it ends: in the checkout, or at a closed door. */
async function visit(): Promise<Scene> {
  const refusal = await takePlace()
  if (refusal !== undefined) return refusal
  for (let failures = 0; ;) {
    await whenVisible()
    const ticket = tickets.current()
    // Another tab gave the place up to join again.
    if (ticket === undefined) return { kind: 'lapsed' }
    const answer = await ask<QueueStatus>(`/api/queue/${sale}`)
    if (answer.kind !== 'ok') {
      if (isFinal(answer)) return { kind: 'refused', ...explain(answer), rejoin: false }
      await trouble(answer, failures++)
      continue
    }
    failures = 0
    notice(byId('trouble'), undefined)
    const scene = await follow(answer.body, ticket)
    if (scene !== undefined) return scene
  }
}

/** Shows the status and waits as long as its poll policy says, or goes in. Returns how the visit ended, if it did. */
async function follow(status: QueueStatus, ticket: Ticket): Promise<Scene | undefined> {
  clock.observe(status.server_time)
  const firstServing = ticket.firstServing ?? status.now_serving
  if (ticket.firstServing === null) tickets.note({ ...ticket, firstServing })
  const place = placeOf(status, ticket.position)
  if (place.kind === 'sold_out' || place.kind === 'ended') return { kind: place.kind }
  if (place.kind === 'turn') return goIn(ticket)
  view.show({ kind: 'place', status, position: ticket.position, firstServing })
  await pause(1000 * pollDelayS(status.poll, distanceS(status, ticket.position), Math.random()))
  return undefined
}

/** Asks for a place until the server gives one or says no; a kept place needs no answer to go on. */
async function takePlace(): Promise<Scene | undefined> {
  for (let failures = 0; ; failures++) {
    const answer = await tickets.join()
    if (answer.kind === 'ok') return undefined
    if (answer.kind === 'problem') {
      const { code } = answer.problem
      if (code === 'sold_out' || code === 'ended') return { kind: code }
      if (isFinal(answer)) return { kind: 'refused', ...explain(answer), rejoin: false }
    }
    await trouble(answer, failures)
    if (tickets.current() !== undefined) return undefined
  }
}

async function goIn(ticket: Ticket): Promise<Scene | undefined> {
  const answer: Answer<EnterAnswer> = await ask(`/api/queue/${sale}/enter`, {
    method: 'POST',
    body: { ticket: ticket.ticket, device: tickets.device },
  })
  if (answer.kind === 'ok') {
    // Replaced, so that the back button of the checkout does not lead into a room that sends people forward again.
    location.replace(answer.body.shop_url)
    return { kind: 'entering' }
  }
  if (answer.kind === 'problem') {
    const { code } = answer.problem
    if (code === 'turn_lapsed') return { kind: 'lapsed' }
    if (code === 'sold_out' || code === 'ended') return { kind: code }
    if (code === 'ticket_invalid' || code === 'ticket_foreign')
      return { kind: 'refused', ...explain(answer), rejoin: true }
    if (code === 'too_early' || code === 'paused') {
      await pause(1000 * (answer.retryAfterS ?? 1))
      return undefined
    }
  }
  await trouble(answer, 0)
  return undefined
}

/** Says that something is wrong and waits: as long as the server asks, else longer each time. */
async function trouble(refused: Refused, failures: number): Promise<void> {
  const { title, detail } = explain(refused)
  const kept = tickets.current() === undefined ? '' : ' Your place is kept.'
  notice(byId('trouble'), { title: `${title}.`, detail: detail + kept })
  const asked = refused.kind === 'problem' ? refused.retryAfterS : undefined
  await pause(Math.max(backoffMs(failures), 1000 * (asked ?? 0)))
}

/** Asking again would not help. */
function isFinal(refused: Refused): boolean {
  return refused.kind === 'problem' && refused.problem.status === 404
}
