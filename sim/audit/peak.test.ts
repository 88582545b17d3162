import { afterAll, beforeAll, expect, test } from 'bun:test'
import { MAIN_LANE } from '../../src/flow/waiting-room/keys.ts'
import { PHONE, type Rooms, startRooms } from '../../test/support/rooms.ts'
import { now } from '../clock.ts'
import type { Evidence } from './evidence.ts'
import { FAIRNESS_CHECKS } from './fairness.ts'
import { readPeak } from './gather.ts'
import * as run from './lawful-run.ts'

let rooms: Rooms
beforeAll(async () => void (rooms = await startRooms({ nodes: 1 })))
afterAll(() => rooms[Symbol.asyncDispose]())

const RATE = 100
const check = FAIRNESS_CHECKS.find(({ name }) => name.startsWith('turns'))

test('a line that stops and goes is told to be slower than it goes where turns are not taken: no turn too many', async () => {
  const sale = await rooms.newSale({ rate_per_second: RATE, checkout_cap: 1 })
  const crowd = (await rooms.crowd(sale, 2000)).toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0))
  const ask = (position: number) => rooms.enter(sale, crowd[position - 1]?.ticket ?? '', PHONE)
  const status = async () => {
    rooms.look()
    const sent = now()
    const seen = await rooms.room.status(sale)
    if (seen === undefined) throw new Error('unreachable')
    return { sent, answered: now(), status: seen }
  }
  await Bun.sleep(100)
  expect((await ask(1)).kind).toBe('entered')
  await status()
  await Bun.sleep(1000)
  await rooms.room.leaveCheckout({ sale, lane: MAIN_LANE, position: 1 })
  await status()
  // Hardly anybody takes their turn, so more of them come.
  await Bun.sleep(2100)
  expect((await ask(2)).kind).toBe('entered')
  await rooms.room.leaveCheckout({ sale, lane: MAIN_LANE, position: 2 })

  const first = await status()
  await Bun.sleep(400)
  const statuses = [first, await status()]
  const told = Math.max(...statuses.map((one) => one.status.rate_per_second))
  const lawful = run.lawfulRun()
  const evidence: Evidence = {
    ...lawful,
    sale: { ...lawful.sale, rate_per_second: RATE },
    ...{ statuses, peak: await readPeak(rooms.connections[0] as Rooms['connections'][number], sale) },
  }
  const violations = (peak: number) => {
    const found = check?.examine({ ...evidence, peak })
    return found?.kind === 'examined' ? found.violations : undefined
  }
  expect(told).toBeLessThan(RATE)
  expect(evidence.peak).toBeGreaterThan(RATE)
  expect(violations(evidence.peak)).toEqual([])
  // Had it not been allowed to go that fast, this would have been too fast.
  expect(violations(told)).toHaveLength(1)
})
