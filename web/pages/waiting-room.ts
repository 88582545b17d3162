import { type Answer, ask, explain, type Refused } from '../lib/api.ts'
import { config } from '../lib/config.ts'
import { byId, setText } from '../lib/dom.ts'
import { createServerClock } from '../lib/server-clock.ts'
import { backoffMs, everyTick, pause, whenVisible } from '../lib/time.ts'
import { inChosenLanguage, say } from '../lib/words.ts'
import { inLane, placeOf } from '../../src/contracts/place.ts'
import { askDelayS, distanceS, glanceDelayS, pollDelayS } from '../../src/contracts/poll.ts'
import type { EnterAnswer, QueueStatus } from '../../src/contracts/shapes.ts'
import { wireCodeForm } from '../waiting-room/code-form.ts'
import { wireTeller } from '../waiting-room/teller.ts'
import { createTickets, type Ticket } from '../waiting-room/ticket.ts'
import { createTrouble } from '../waiting-room/trouble.ts'
import { trustOnlyOurOwn } from '../waiting-room/trusted-types.ts'
import { createView, type Scene } from '../waiting-room/view.ts'

/** The waiting room: takes a place, watches the public status, goes in by itself when the turn has come. */
trustOnlyOurOwn()
const sale = decodeURIComponent(location.pathname.slice(1))
const tickets = createTickets(sale)
const clock = createServerClock()
const trouble = createTrouble(() => tickets.current() !== undefined)
const view = createView({ clock, silentSince: trouble.since })
const teller = wireTeller(sale)

setText(byId('sale'), sale)
byId('shop').setAttribute('href', `${config.shop_url}/`)
byId('orders').setAttribute('href', `${config.shop_url}/orders`)
for (const link of ['to-draw', 'fair-draw-link']) byId(link).setAttribute('href', `/${sale}/draw`)
byId('rejoin').addEventListener('click', () => {
  void tickets.drop().then(() => location.reload())
})
wireCodeForm(tickets)
// The shop sends people here for a new place once their pass is used up.
if (location.hash === '#new') {
  await tickets.drop()
  history.replaceState(null, '', location.pathname)
}
everyTick(() => {
  view.tick()
  trouble.tick()
})
const end = await visit()
view.show(end)
if (end.kind !== 'entering') {
  teller.blink(document.title)
  await teller.call(document.title, byId('text').textContent)
}
// Come back to by the back button, as it was left: look again. A kept place is only confirmed.
window.addEventListener('pageshow', ({ persisted }) => {
  if (persisted) location.reload()
})

/** One visit, until it ends: in the checkout, or at a closed door. */
async function visit(): Promise<Scene> {
  let placed = false
  let glanceS = 0
  for (let failures = 0; ;) {
    await whenVisible(1000 * (teller.isOn() ? glanceS : Infinity))
    const answer = await ask<QueueStatus>(`/api/queue/${sale}`)
    if (answer.kind !== 'ok') {
      if (isFinal(answer)) return { kind: 'refused', ...explain(answer), rejoin: false }
      await wait(answer, failures++)
      continue
    }
    failures = 0
    trouble.over()
    const status = answer.body
    clock.observe(status.server_time)
    view.tell(status)
    const { kind } = placeOf(status, {})
    if (kind === 'sold_out' || kind === 'ended' || kind === 'post_sale')
      return { kind, status, ticket: tickets.current() }
    glanceS = glanceDelayS(distanceS(status, tickets.current() ?? {}))
    if (kind === 'scheduled' && tickets.current() === undefined) {
      view.show({ kind: 'place', status, ticket: undefined })
      await poll(status)
      continue
    }
    if (!placed) {
      const refusal = await takePlace(status)
      if (refusal !== undefined) return refusal
      placed = tickets.current() !== undefined
      // Refused because the room is not open yet: the next status says when.
      if (!placed) continue
    }
    const ticket = tickets.current()
    // Another tab gave the place up to join again.
    if (ticket === undefined) return { kind: 'lapsed' }
    const scene = await follow(status, ticket)
    if (scene !== undefined) return scene
    // Asked for without a break, the turn keeps its order.
    if (placeOf(status, ticket).kind === 'turn') glanceS = 0
  }
}

/** Shows the status and waits as long as its poll policy says, or goes in. Returns how the visit ended, if it did. */
async function follow(status: QueueStatus, ticket: Ticket): Promise<Scene | undefined> {
  const followed = { ...ticket, firstServing: ticket.firstServing ?? inLane(status, ticket.lane).now_serving }
  if (ticket.firstServing === null) tickets.note(followed)
  const place = placeOf(status, ticket)
  const scene: Scene = { kind: 'place', status, ticket: followed }
  if (place.kind === 'turn') return goIn(scene)
  view.show(scene)
  await poll(status, ticket)
  return undefined
}

function poll(status: QueueStatus, ticket?: Ticket): Promise<void> {
  return pause(1000 * pollDelayS(status.poll, distanceS(status, ticket ?? {}), Math.random()))
}

/**
 * Asks for a place until the server gives one or says no; a kept place needs no answer to go on. Undefined without a
 * place: it is too early.
 */
async function takePlace(status: QueueStatus): Promise<Scene | undefined> {
  for (let failures = 0; ; failures++) {
    const answer = await tickets.join(status.draw?.commitment)
    if (answer.kind === 'ok') return undefined
    if (answer.kind === 'problem') {
      const { code } = answer.problem
      if (code === 'sold_out' || code === 'ended') return lastWord(code)
      if (isFinal(answer)) return { kind: 'refused', ...explain(answer), rejoin: false }
      if (code === 'too_early') {
        await pause(1000 * askDelayS(undefined, Math.random()))
        return undefined
      }
    }
    await wait(answer, failures)
    if (tickets.current() !== undefined) return undefined
  }
}

async function goIn(scene: Extract<Scene, { kind: 'place' }>): Promise<Scene | undefined> {
  const ticket = scene.ticket?.ticket ?? ''
  const answer: Answer<EnterAnswer> = await ask(`/api/queue/${sale}/enter`, {
    method: 'POST',
    body: { ticket, device: tickets.device() },
  })
  if (answer.kind === 'ok') {
    const end: Scene = { kind: 'entering' }
    view.show(end)
    teller.blink(document.title)
    await teller.call(say('place.turn'), say('waiting-room.tell.turn'))
    // A tab in the background got here for somebody who is called right now; their pass waits for them.
    await whenVisible()
    // Replaced, so that the back button of the checkout does not lead into a room that sends people forward again.
    location.replace(inChosenLanguage(answer.body.shop_url))
    return end
  }
  if (answer.kind === 'problem') {
    const { code } = answer.problem
    if (code === 'turn_lapsed') return { kind: 'lapsed' }
    if (code === 'sold_out' || code === 'ended') return lastWord(code)
    if (code === 'ticket_invalid' || code === 'ticket_foreign' || code === 'ticket_expired')
      return { kind: 'refused', ...explain(answer), rejoin: true }
    if (code === 'too_early' || code === 'paused') {
      // There is no room right now: whoever keeps asking is let in first, in order.
      view.show(scene)
      await pause(1000 * askDelayS(answer.retryAfterS, Math.random()))
      return undefined
    }
  }
  await wait(answer, 0)
  return undefined
}

/** What there is to say at the end, with the numbers of a status that knows of it, if one comes. */
async function lastWord(kind: 'sold_out' | 'ended'): Promise<Scene> {
  const answer = await ask<QueueStatus>(`/api/queue/${sale}`)
  const known = answer.kind === 'ok' && placeOf(answer.body, {}).kind === kind
  return { kind, ...(known ? { status: answer.body, ticket: tickets.current() } : {}) }
}

/** Says that something is wrong and waits: as long as the server asks, else longer each time. */
async function wait(refused: Refused, failures: number): Promise<void> {
  trouble.show(refused)
  const asked = refused.kind === 'problem' ? refused.retryAfterS : undefined
  await pause(Math.max(backoffMs(failures), 1000 * (asked ?? 0)))
}

/** Asking again would not help. */
function isFinal(refused: Refused): boolean {
  return refused.kind === 'problem' && refused.problem.status === 404
}
