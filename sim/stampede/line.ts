import { askDelayS, distanceS, pollDelayS } from '../../src/contracts/poll.ts'
import { placeOf } from '../../src/contracts/place.ts'
import type { QueueStatus } from '../../src/flow/waiting-room/waiting-room.ts'
import type { Behaviour } from './behaviour.ts'
import { createCalendar } from './calendar.ts'
import type { Admission, Broken, Second } from './measures.ts'
import { createOvertaking } from './overtaking.ts'
import { OPENS_AT, SALE, type System } from './system.ts'

export const STEP_MS = 100
/** Nodes of the edge, each of which asks for the status once a second, each at a time of its own. */
export const EDGES = 1000 / STEP_MS
/** Joins under way at once: what the room takes in one turn, and half of what it lets wait. */
const CROWD = 8192
/** So many joins after another one is compared with the ticket that is rebuilt, and weighed. */
const SAMPLE = 97
/** Of the headers of an answer over HTTP/2; see docs/scaling.md. */
export const HEADER_BYTES = 150
/** Page, styles and script of the waiting room, compressed: what test/browser/first-load.test.ts allows. */
export const PAGE_BYTES = 60 * 1024
/** Share of looks after which somebody tries to get in although it is not their turn. */
const IMPATIENT = 0.001

export interface LineParts {
  readonly system: System
  readonly behaviour: Behaviour
  readonly buyers: number
  /** Of the first step, ms after the opening. */
  readonly startMs: number
  readonly broken: Broken
  readonly admit: (visitor: number, pass: string, place: number, step: number) => void
}

/** Everybody from the arrival to the admission. Twelve bytes a visitor, whoever is not looking has nothing else. */
export function createLine({ system, behaviour, buyers, startMs, broken, admit }: LineParts) {
  const { waitingRoom } = system
  const places = new Uint32Array(buyers)
  const leavesAt = new Uint32Array(buyers)
  const calendar = createCalendar(buyers)
  const overtaking = createOvertaking(broken)
  const admissions: Admission[] = []
  const views: { status: QueueStatus; bytes: number }[] = []
  const standing = { position: 0 }
  let [next, lastPlace, joinBytes, enterBytes, events] = [0, 0, 0, 0, 0]

  const timeOf = (step: number) => startMs + step * STEP_MS
  const joinedStep = (visitor: number) =>
    Math.max(0, Math.ceil((behaviour.arrivalMs(visitor) - startMs) / STEP_MS))
  const identity = (visitor: number) => ({
    device: `device-${visitor}`,
    network: `network-${visitor % 4096}`,
  })
  const ticketOf = (visitor: number) => {
    const at = timeOf(joinedStep(visitor))
    const place = places[visitor] ?? 0
    const slot = at < 0 ? { lane: '', lobby_index: place } : { lane: '', position: place }
    return system.ticketOf(slot, identity(visitor), OPENS_AT + at)
  }
  const request = (visitor: number, ticket?: string) =>
    waitingRoom.join({
      ...{ sale: SALE, visitor: identity(visitor), ticket, client_key: `join-${visitor}` },
    })
  const viewOf = (visitor: number) => {
    const view = views[visitor % EDGES]
    if (view === undefined) throw new Error('no edge has looked yet')
    return view
  }
  const wait = (visitor: number, step: number, seconds: number) =>
    calendar.add(visitor, step, (seconds * 1000) / STEP_MS)
  const waitForLook = (visitor: number, step: number, status: QueueStatus) =>
    wait(visitor, step, pollDelayS(status.poll, distanceS(status, standing), behaviour.jitter(visitor, step)))

  const arrive = async (step: number, second: Second) => {
    const until = timeOf(step)
    for (;;) {
      const first = next
      while (next < buyers && next - first < CROWD && behaviour.arrivalMs(next) <= until) next += 1
      if (next === first) return
      const some = Array.from({ length: next - first }, (_, index) => request(first + index))
      for (const [index, outcome] of (await Promise.all(some)).entries()) {
        const visitor = first + index
        second.arrived += 1
        if (!('ticket' in outcome)) {
          second.refused += 1
          second.bytes += HEADER_BYTES
          continue
        }
        const place = outcome.position ?? outcome.lobby_index ?? 0
        broken.expect(place === lastPlace + 1, 'places', () => `${place} was given after ${lastPlace}`)
        lastPlace = place
        places[visitor] = place
        leavesAt[visitor] = Math.min(2 ** 32 - 1, Math.round(step + behaviour.patienceMs(visitor) / STEP_MS))
        if (joinBytes === 0 || visitor % SAMPLE === 0) {
          if (outcome.ticket !== ticketOf(visitor)) throw new Error(`ticket ${place} can not be rebuilt`)
          joinBytes = JSON.stringify(outcome).length + HEADER_BYTES
        }
        second.joined += 1
        second.bytes += joinBytes
        standing.position = place
        waitForLook(visitor, step, viewOf(visitor).status)
      }
      await again(
        some.flatMap((_, index) => (behaviour.losesAnswer(first + index) ? [first + index] : [])),
        second,
        () => undefined,
      )
      second.origin += some.length
      second.bytes += some.length * PAGE_BYTES
    }
  }

  /** Asks once more: with the ticket after a reload, without where the answer was lost. The place is the same. */
  const again = async (
    visitors: readonly number[],
    second: Second,
    ticket: (visitor: number) => string | undefined,
  ) => {
    const told = visitors.filter((visitor) => places[visitor] !== 0)
    const outcomes = await Promise.all(told.map((visitor) => request(visitor, ticket(visitor))))
    second.origin += told.length
    second.bytes += told.length * joinBytes
    events += told.length
    for (const [index, outcome] of outcomes.entries()) {
      if (!('ticket' in outcome)) continue
      const [place, before] = [outcome.position ?? outcome.lobby_index, places[told[index] ?? 0]]
      broken.expect(place === before, 'places', () => `${before} was told ${place} when it asked again`)
    }
  }

  const look = async (step: number, second: Second) => {
    const [asking, reloading]: [number[], number[]] = [[], []]
    calendar.take(step, (visitor) => {
      const { status, bytes } = viewOf(visitor)
      second.polls += 1
      second.bytes += bytes
      if (step >= (leavesAt[visitor] ?? 0)) {
        second.left += 1
        return
      }
      standing.position = places[visitor] ?? 0
      const { kind } = placeOf(status, standing)
      if (kind === 'turn') {
        if (behaviour.comes(visitor)) asking.push(visitor)
      } else if (kind !== 'sold_out' && kind !== 'ended' && kind !== 'post_sale') {
        if (behaviour.refreshes(visitor, step)) reloading.push(visitor)
        if (behaviour.jitter(visitor, -step) < IMPATIENT) asking.push(visitor)
        else waitForLook(visitor, step, status)
      }
    })
    second.origin += asking.length
    await again(reloading, second, ticketOf)
    await enter(asking, step, second)
  }

  const enter = async (visitors: readonly number[], step: number, second: Second) => {
    const now = timeOf(step)
    const outcomes = await Promise.all(
      visitors.map((visitor) =>
        waitingRoom.enter({ sale: SALE, ticket: ticketOf(visitor), visitor: identity(visitor) }),
      ),
    )
    for (const [index, outcome] of outcomes.entries()) {
      const visitor = visitors[index] ?? 0
      const place = places[visitor] ?? 0
      enterBytes = JSON.stringify(outcome).length + HEADER_BYTES
      second.bytes += enterBytes
      if (outcome.kind === 'entered') {
        const waited = now - Math.max(0, timeOf(joinedStep(visitor)))
        admissions.push({ visitor, place, at: now, waited })
        overtaking.entered(place, now)
        second.admitted += 1
        admit(visitor, outcome.pass, place, step)
      } else if (outcome.kind === 'too_early') {
        const { status } = viewOf(visitor)
        if (place <= status.now_serving) overtaking.refused(place, now)
        const seconds = outcome.wait_s === null ? undefined : Math.min(30, outcome.wait_s)
        wait(visitor, step, askDelayS(seconds, behaviour.jitter(visitor, step)))
      }
    }
  }

  return {
    admissions,
    /** Joins, looks and tries to get in so far. */
    get events() {
      return events
    },
    get waiting() {
      return calendar.waiting
    },
    /** Everybody has come, and nobody waits any more. */
    get over() {
      return next === buyers && calendar.waiting === 0
    },
    places: () => lastPlace,
    /** Bytes of the last answer of each kind, with its headers. */
    answers: () => ({ join: joinBytes, enter: enterBytes, status: views[0]?.bytes ?? 0 }),
    step: async (step: number, second: Second) => {
      const status = await waitingRoom.status(SALE)
      if (status === undefined) throw new Error('the sale is gone')
      const view = { status, bytes: JSON.stringify(status).length + HEADER_BYTES }
      if (step === 0) for (let edge = 0; edge < EDGES; edge += 1) views[edge] = view
      views[step % EDGES] = view
      second.origin += 1
      overtaking.stock(status.available, timeOf(step))
      const before = second.polls + second.arrived + second.origin
      await arrive(step, second)
      await look(step, second)
      events += second.polls + second.arrived + second.origin - before
    },
    overtaking,
  }
}
