import { afterAll, beforeAll, expect, test } from 'bun:test'
import { dumpQueue, letPass, watchQueueScript } from '../../../test/support/waiting-room.ts'
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts'
import { connectRedis, type RedisConnection } from '../../platform/redis.ts'
import bindPassesSource from './bind-passes.lua' with { type: 'text' }
import createSource from './create.lua' with { type: 'text' }
import enterSource from './enter.lua' with { type: 'text' }
import joinSource from './join.lua' with { type: 'text' }
import readSource from './read.lua' with { type: 'text' }
import * as scripts from './scripts.ts'
import { keys, type PassUse } from './scripts.ts'
import steerSource from './steer.lua' with { type: 'text' }
import unbindPassSource from './unbind-pass.lua' with { type: 'text' }

let server: TestRedis
let redis: RedisConnection
beforeAll(async () => {
  server = await startTestRedis()
  redis = await connectRedis({ url: server.url })
})
afterAll(async () => {
  await redis.close()
  await server.stop()
})

const HOUR = 3_600_000
const create = (sale: string, change: { rate?: number; opens_at?: number; ends_at?: number | null } = {}) =>
  scripts.create.run(redis.commands, { sale, rate: 10, opens_at: 1, ends_at: null, ...change })
const join = (sale: string, count: number) => scripts.join.run(redis.commands, { sale, count })
const enter = (sale: string, position: number, lifetime_ms = 60_000) =>
  scripts.enter.run(redis.commands, { sale, position, lifetime_ms })
const steer = (sale: string, steering: scripts.Steering) =>
  scripts.steer.run(redis.commands, { sale, ...steering })
const read = (sale: string) => scripts.read.run(redis.commands, { sale })
const serving = async (sale: string) => (await read(sale))?.serving

/** Runs `call` on waiting rooms that are not there or damaged: all `unloaded`, nothing written. */
async function onDamage(call: (sale: string) => Promise<unknown>, name: string): Promise<void> {
  await redis.commands.set(keys.queue(`${name}-text`), 'no hash')
  await create(`${name}-part`)
  await redis.commands.hdel(keys.queue(`${name}-part`), 'since')
  await create(`${name}-number`)
  await redis.commands.hset(keys.queue(`${name}-number`), 'rate', 'fast')
  for (const sale of ['missing', 'text', 'part', 'number'].map((what) => `${name}-${what}`)) {
    const before = await dumpQueue(redis.commands, sale)
    const answer = await call(sale)
    expect({ sale, unloaded: answer === undefined || JSON.stringify(answer).includes('unloaded') }).toEqual({
      sale,
      unloaded: true,
    })
    expect(await dumpQueue(redis.commands, sale)).toEqual(before)
  }
}

test('create: as its header says', async () => {
  const watched = watchQueueScript(createSource)
  const call = (rate: number) =>
    watched.during(redis.commands, 'create', () => create('create', { rate, opens_at: 5, ends_at: 9 }))
  expect(await call(10)).toBe('created')
  const before = await dumpQueue(redis.commands, 'create')
  expect(before[keys.queue('create')]).toMatchObject({ tail: '0', rate: '10', opens_at: '5', ends_at: '9' })
  expect(await call(99)).toBe('exists')
  expect(await dumpQueue(redis.commands, 'create')).toEqual(before)
  watched.expectHeaderTrue()
})

test('join: as its header says', async () => {
  const watched = watchQueueScript(joinSource)
  const call = (sale: string, count: number) => watched.during(redis.commands, sale, () => join(sale, count))
  await create('join')
  expect(await call('join', 3)).toMatchObject({ kind: 'joined', first: 1 })
  const second = await call('join', 1)
  const line = await read('join')
  expect(second).toMatchObject({ kind: 'joined', first: 4 })
  if (second.kind === 'joined') expect(line?.now).toBeWithin(second.now, second.now + 1000)
  await steer('join', { state: 'paused' })
  expect(await call('join', 1)).toMatchObject({ kind: 'joined', first: 5 })
  await steer('join', { state: 'ended' })
  const before = await dumpQueue(redis.commands, 'join')
  expect(await call('join', 1)).toEqual({ kind: 'ended' })
  expect(await dumpQueue(redis.commands, 'join')).toEqual(before)
  await create('join-late', { ends_at: 2 })
  expect(await call('join-late', 1)).toEqual({ kind: 'ended' })
  await onDamage((sale) => call(sale, 1), 'join')
  watched.expectHeaderTrue()
})

test('read: as its header says', async () => {
  const watched = watchQueueScript(readSource)
  const call = (sale: string) => watched.during(redis.commands, sale, () => read(sale))
  await create('read', { rate: 2.5, opens_at: 7 })
  await join('read', 4)
  expect(await call('read')).toMatchObject({ state: 'open', tail: 4, rate: 2.5, opens_at: 7, running: true })
  await steer('read', { stopped: true })
  expect(await call('read')).toMatchObject({ state: 'open', running: false })
  await steer('read', { state: 'paused' })
  expect(await call('read')).toMatchObject({ state: 'paused', running: false })
  await steer('read', { state: 'ended' })
  expect(await call('read')).toMatchObject({ state: 'ended', running: false })
  await onDamage(call, 'read')
  watched.expectHeaderTrue()
})

test('steer: as its header says', async () => {
  const watched = watchQueueScript(steerSource)
  const call = (sale: string, steering: scripts.Steering) =>
    watched.during(redis.commands, sale, () => steer(sale, steering))
  await create('steer')
  await join('steer', 2)
  expect(await call('steer', { rate: 0.5, stopped: true, opens_at: 11, state: 'paused' })).toBe('changed')
  expect((await dumpQueue(redis.commands, 'steer'))[keys.queue('steer')]).toMatchObject({
    ...{ tail: '2', rate: '0.5', stopped: '1', opens_at: '11', state: 'paused' },
  })
  const before = await dumpQueue(redis.commands, 'steer')
  for (const same of [{}, { rate: 0.5 }, { stopped: true }, { state: 'paused', opens_at: 11 }] as const)
    expect(await call('steer', same)).toBe('same')
  expect(await dumpQueue(redis.commands, 'steer')).toEqual(before)
  await onDamage((sale) => call(sale, { rate: 3 }), 'steer')
  watched.expectHeaderTrue()
})

test('enter: as its header says', async () => {
  const watched = watchQueueScript(enterSource)
  const call = (sale: string, position: number, lifetime_ms?: number) =>
    watched.during(redis.commands, sale, () => enter(sale, position, lifetime_ms))
  await create('enter')
  await join('enter', 1000)
  await letPass(redis.commands, 'enter', 10_000)
  const position = (await serving('enter')) ?? 0
  const entered = await call('enter', position)
  expect(entered.kind).toBe('entered')
  expect(await redis.commands.pttl(keys.pass('enter', position))).toBeWithin(60_000, 61_001)
  const before = await dumpQueue(redis.commands, 'enter')
  expect(await call('enter', position)).toEqual(entered)
  expect(await call('enter', 1000)).toMatchObject({ kind: 'too_early', running: true })
  // 10 a second, a window of one second: 10 places.
  expect(await call('enter', position - 11, 1000)).toEqual({ kind: 'turn_lapsed' })
  await steer('enter', { state: 'paused' })
  expect(await call('enter', position - 1)).toEqual({ kind: 'paused' })
  expect(await call('enter', position)).toEqual(entered)
  await steer('enter', { state: 'ended' })
  expect(await call('enter', position - 1)).toEqual({ kind: 'ended' })
  // Refusals left nothing behind.
  const queue = { [keys.queue('enter')]: undefined }
  expect({ ...(await dumpQueue(redis.commands, 'enter')), ...queue }).toEqual({ ...before, ...queue })
  await redis.commands.del(keys.pass('enter', position))
  expect(await call('enter', position)).toEqual({ kind: 'turn_lapsed' })
  await onDamage((sale) => call(sale, 1), 'enter')
  watched.expectHeaderTrue()
})

test('the turn comes with the serving number, not one place sooner', async () => {
  await create('turn')
  await join('turn', 100)
  await letPass(redis.commands, 'turn', 5000)
  await steer('turn', { stopped: true })
  const position = (await serving('turn')) ?? 0
  expect(position).toBeGreaterThan(0)
  expect(await enter('turn', position + 1)).toEqual({ kind: 'too_early', serving: position, running: false })
  expect((await enter('turn', position)).kind).toBe('entered')
})

const useOf = (position: number, change: Partial<PassUse> = {}): PassUse => ({
  ...{ position, order_id: `order-${position}`, user_id: 'ann', key: 'k1', body: 'tv 1', look_up: false },
  ...change,
})
const bind = (sale: string, ...uses: PassUse[]) => scripts.bindPasses.run(redis.commands, { sale, uses })
const unbind = (sale: string, position: number, order_id = `order-${position}`) =>
  scripts.unbindPass.run(redis.commands, { sale, position, order_id })
/** A waiting room whose first `count` positions hold a pass. */
async function withPasses(sale: string, count: number): Promise<void> {
  await create(sale)
  await join(sale, count)
  await letPass(redis.commands, sale, 10_000)
  for (let position = 1; position <= count; position += 1)
    expect((await enter(sale, position)).kind).toBe('entered')
}

test('bind-passes: as its header says', async () => {
  const watched = watchQueueScript(bindPassesSource)
  const call = (...uses: PassUse[]) => watched.during(redis.commands, 'bind', () => bind('bind', ...uses))
  await withPasses('bind', 3)
  expect(
    await call(
      useOf(1),
      useOf(1, { order_id: 'other' }),
      useOf(1, { user_id: 'bob' }),
      useOf(1, { key: 'k2' }),
      useOf(1, { body: 'tv 2' }),
      useOf(2, { look_up: true }),
      useOf(3),
      useOf(4),
    ),
  ).toEqual([
    { kind: 'bound', order_id: 'order-1' },
    { kind: 'repeated', order_id: 'order-1' },
    { kind: 'foreign' },
    { kind: 'used' },
    { kind: 'key_reused' },
    { kind: 'expired' },
    { kind: 'bound', order_id: 'order-3' },
    { kind: 'expired' },
  ])
  expect(await redis.commands.hgetall(keys.pass('bind', 1))).toMatchObject({ uses: '2', order_id: 'order-1' })
  expect(await call(useOf(1, { look_up: true }))).toEqual([{ kind: 'repeated', order_id: 'order-1' }])
  expect(await redis.commands.exists(keys.pass('bind', 4))).toBe(0)
  // Remembered for an hour, whatever was left of the pass.
  expect(await redis.commands.pttl(keys.pass('bind', 1))).toBeWithin(HOUR - 10_000, HOUR + 1)
  watched.expectHeaderTrue()
})

test('binding a pass never shortens its life', async () => {
  await create('long')
  await join('long', 1)
  await letPass(redis.commands, 'long', 10_000)
  await enter('long', 1, 5 * HOUR)
  await bind('long', useOf(1))
  expect(await redis.commands.pttl(keys.pass('long', 1))).toBeWithin(5 * HOUR - 10_000, 5 * HOUR + 1001)
})

test('unbind-pass: as its header says', async () => {
  const watched = watchQueueScript(unbindPassSource)
  const call = (order_id?: string) =>
    watched.during(redis.commands, 'unbind', () => unbind('unbind', 1, order_id))
  await withPasses('unbind', 1)
  const free = await dumpQueue(redis.commands, 'unbind')
  expect(await call()).toBe('free')
  expect(await dumpQueue(redis.commands, 'unbind')).toEqual(free)
  await bind('unbind', useOf(1), useOf(1))
  expect(await call('another')).toBe('free')
  expect(await redis.commands.hget(keys.pass('unbind', 1), 'uses')).toBe('2')
  expect(await call()).toBe('bound')
  expect(await bind('unbind', useOf(1, { key: 'k2' }))).toEqual([{ kind: 'used' }])
  expect(await call()).toBe('free')
  expect(await dumpQueue(redis.commands, 'unbind')).toEqual(free)
  watched.expectHeaderTrue()
})

test('serving stands where it was when the end has come', async () => {
  await create('end', { rate: 1, ends_at: Date.now() + HOUR })
  await join('end', 10_000)
  await letPass(redis.commands, 'end', HOUR - 20_000)
  expect(await read('end')).toMatchObject({ state: 'open', running: true })
  expect(await serving('end')).toBeWithin(3580, 3600)
  await letPass(redis.commands, 'end', 25_000)
  const ended = await read('end')
  expect(ended).toMatchObject({ state: 'ended', running: false })
  expect(ended?.serving).toBeWithin(3599, 3603)
  await steer('end', { rate: 99 })
  await letPass(redis.commands, 'end', HOUR)
  expect(await serving('end')).toBe(ended?.serving)
})

test('a clock that was set back does not take back what was served', async () => {
  await create('back')
  await join('back', 1000)
  await letPass(redis.commands, 'back', 10_000)
  await steer('back', { rate: 20 })
  const served = (await serving('back')) ?? 0
  expect(served).toBeGreaterThanOrEqual(100)
  await letPass(redis.commands, 'back', -5000)
  expect(await serving('back')).toBeWithin(served - 1, served + 1)
})

test('a turn that has come keeps its whole window when the rate is lowered', async () => {
  await create('slower', { rate: 100 })
  await join('slower', 1000)
  await letPass(redis.commands, 'slower', 5000)
  const served = (await serving('slower')) ?? 0
  expect(served).toBeGreaterThanOrEqual(500)
  await steer('slower', { rate: 1 })
  // Position 1 came up 5 s ago; the window is 10 s.
  expect((await enter('slower', 1, 10_000)).kind).toBe('entered')
})
