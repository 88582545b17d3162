import { afterAll, beforeAll, expect, test } from 'bun:test'
import { dumpQueue, letPass, watchQueueScript } from '../../../test/support/waiting-room.ts'
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts'
import { connectRedis, type RedisConnection } from '../../platform/redis.ts'
import admissionSource from './admission.lua' with { type: 'text' }
import bindPassesSource from './bind-passes.lua' with { type: 'text' }
import lookPassesSource from './look-passes.lua' with { type: 'text' }
import amendSource from './amend.lua' with { type: 'text' }
import createSource from './create.lua' with { type: 'text' }
import enterSource from './enter.lua' with { type: 'text' }
import joinSource from './join.lua' with { type: 'text' }
import readSource from './read.lua' with { type: 'text' }
import { keys, MAIN_LANE } from './keys.ts'
import servingSource from './serving.lua' with { type: 'text' }
import { bindPasses, lookPasses, type PassUse, unbindPass } from './pass-scripts.ts'
import recoverSource from './recover.lua' with { type: 'text' }
import { recoverScript, reserveScript } from './recovery.ts'
import reserveSource from './reserve.lua' with { type: 'text' }
import * as scripts from './scripts.ts'

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
const lane = MAIN_LANE
const queueOf = (sale: string) => keys.queue(sale, lane)
const passOf = (sale: string, position: number) => keys.pass({ sale, lane, position })
/** The line alone: nobody joins before positions are reserved. */
const createBare = (sale: string, change: Partial<scripts.NewLine> = {}) =>
  scripts.create.run(redis.commands, {
    ...{ sale, lane, rate: 10, opens_at: 1, ends_at: null, threshold: null, places: null, secret: null },
    ...{ state: 'open', ...change },
  })
const reserve = (sale: string, ceiling: number, change: 'raise' | 'lower' = 'raise', run_id = '') =>
  reserveScript.run(redis.commands, { sale, lane, run_id, ceiling, change })
async function create(sale: string, change: Partial<scripts.NewLine> = {}): Promise<void> {
  await createBare(sale, change)
  await reserve(sale, 1_000_000)
}
/** A client key '' is none. */
const join = (sale: string, ...keysShown: string[]) =>
  scripts.join.run(redis.commands, {
    ...{ sale, lane, hash: 'ab', run_id: '' },
    client_keys: keysShown.map((key) => key && scripts.clientKey(key)),
  })
const joinMany = (sale: string, count: number) => join(sale, ...new Array<string>(count).fill(''))
const enterMany = (sale: string, positions: readonly number[], change: Partial<scripts.Entering> = {}) =>
  scripts.enter.run(redis.commands, {
    ...{ sale, lane, positions, lifetime_ms: 60_000, window_ms: 60_000, slot_ms: 45_000 },
    ...{ cap: 1000, enough: 1000, units: 1000, ...change },
  })
const enter = async (sale: string, position: number, change: Partial<scripts.Entering> = {}) =>
  (await enterMany(sale, [position], change))[0] as scripts.EnterResult
const steer = (sale: string, steering: scripts.Steering) =>
  scripts.steer.run(redis.commands, { sale, lane, ...steering })
const read = (sale: string) => scripts.read.run(redis.commands, { sale, lane })
const serving = async (sale: string) => (await read(sale))?.serving

/** Runs `call` on waiting rooms that are not there or damaged: all `unloaded`, nothing written. */
async function onDamage(call: (sale: string) => Promise<unknown>, name: string): Promise<void> {
  await redis.commands.set(queueOf(`${name}-text`), 'no hash')
  await create(`${name}-part`)
  await redis.commands.hdel(queueOf(`${name}-part`), 'since')
  await create(`${name}-number`)
  await redis.commands.hset(queueOf(`${name}-number`), 'rate', 'fast')
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
    watched.during(redis.commands, 'create', () =>
      createBare('create', {
        rate,
        opens_at: 5,
        ends_at: 9,
        state: 'paused',
        places: 3,
        threshold: 4,
        secret: 'ab',
      }),
    )
  expect(await call(10)).toBe('created')
  const before = await dumpQueue(redis.commands, 'create')
  expect(before[queueOf('create')]).toMatchObject({
    ...{ tail: '0', rate: '10', opens_at: '5', ends_at: '9', state: 'paused' },
    ...{ places: '3', threshold: '4', dormant: '1', secret: 'ab', lobby_size: '' },
  })
  expect(await call(99)).toBe('exists')
  expect(await dumpQueue(redis.commands, 'create')).toEqual(before)
  watched.expectHeaderTrue()
})

test('join: as its header says', async () => {
  const watched = watchQueueScript(joinSource)
  const call = (sale: string, ...client_keys: string[]) =>
    watched.during(redis.commands, sale, () => join(sale, ...client_keys))
  await create('join')
  expect(await call('join', '', '', '')).toMatchObject({
    kind: 'joined',
    lobby_size: 0,
    positions: [1, 2, 3],
  })
  const second = await call('join', 'k')
  const line = await read('join')
  expect(second).toMatchObject({ kind: 'joined', positions: [4] })
  if (second.kind === 'joined') expect(line?.now).toBeWithin(second.now, second.now + 1000)
  // The same key, in a batch with others.
  expect(await call('join', '', 'k', 'l', 'l')).toMatchObject({ positions: [5, 4, 6, 6] })
  expect(await redis.commands.ttl(keys.joins('join'))).toBeWithin(590, 601)
  await steer('join', { state: 'paused' })
  expect(await call('join', '')).toMatchObject({ kind: 'joined', positions: [7] })
  await steer('join', { state: 'ended' })
  const before = await dumpQueue(redis.commands, 'join')
  expect(await call('join', '')).toEqual({ kind: 'ended' })
  expect(await dumpQueue(redis.commands, 'join')).toEqual(before)
  await create('join-late', { ends_at: 2 })
  expect(await call('join-late', '')).toEqual({ kind: 'ended' })
  await createBare('join-bare')
  expect(await call('join-bare', '')).toEqual({ kind: 'reserve', tail: 0 })
  const elsewhere = { sale: 'join-fenced', lane, hash: 'ab', run_id: 'other', client_keys: [''] }
  await create('join-fenced')
  const fenced = await watched.during(redis.commands, 'join-fenced', () =>
    scripts.join.run(redis.commands, elsewhere),
  )
  expect(fenced).toEqual({ kind: 'fenced' })
  await onDamage((sale) => call(sale, ''), 'join')
  watched.expectHeaderTrue()
})

test('recover: as its header says; nobody joins before it, and no position is given again', async () => {
  const watched = watchQueueScript(recoverSource)
  const call = (sale: string, change: Partial<Parameters<typeof recoverScript.run>[1]> = {}) =>
    watched.during(redis.commands, sale, () =>
      recoverScript.run(redis.commands, {
        ...{ sale, lane, run_id: 'new', ceiling: 7, serving: 3, lobby: undefined, ...change },
      }),
    )
  await create('recover')
  await joinMany('recover', 2)
  const joinNew = () =>
    scripts.join.run(redis.commands, { sale: 'recover', lane, hash: 'ab', run_id: 'new', client_keys: [''] })
  const before = await dumpQueue(redis.commands, 'recover')
  expect(await joinNew()).toEqual({ kind: 'fenced' })
  expect(await dumpQueue(redis.commands, 'recover')).toEqual(before)
  expect(await call('recover')).toBe('recovered')
  expect(await joinNew()).toEqual({ kind: 'reserve', tail: 7 })
  await reserve('recover', 20, 'raise', 'new')
  expect(await joinNew()).toMatchObject({ kind: 'joined', positions: [8] })
  expect(await joinMany('recover', 1)).toEqual({ kind: 'fenced' })
  expect(await read('recover')).toMatchObject({ run_id: 'new', tail: 8 })
  expect(await serving('recover')).toBeGreaterThanOrEqual(3)
  expect(await call('recover', { ceiling: 99 })).toBe('same')
  // What Redis knows better stays: neither tail nor serving number go back.
  await letPass(redis.commands, 'recover', 60_000)
  expect(await call('recover', { run_id: 'newer', ceiling: 4, serving: 1 })).toBe('recovered')
  expect(await read('recover')).toMatchObject({ tail: 8, serving: 8, ceiling: 8 })

  // A lobby that had closed is as it was; one that closed unseen is closed by the next who looks.
  await create('recover-lobby', { opens_at: Date.now() - 1000, secret: 'cd' })
  const lobby = { size: 5, tickets_hash: 'ef' }
  expect(await call('recover-lobby', { ceiling: 9, lobby })).toBe('recovered')
  expect(await read('recover-lobby')).toMatchObject({ tail: 9, lobby })
  const other = { run_id: 'newer', lobby: { size: 6, tickets_hash: '' } }
  expect(await call('recover-lobby', other)).toBe('recovered')
  expect(await read('recover-lobby')).toMatchObject({ lobby })
  await onDamage((sale) => call(sale), 'recover')
  watched.expectHeaderTrue()
})

test('reserve: as its header says; no position is given beyond the ceiling', async () => {
  const watched = watchQueueScript(reserveSource)
  const call = (...args: Parameters<typeof reserve>) =>
    watched.during(redis.commands, args[0], () => reserve(...args))
  await createBare('reserve')
  const fresh = await dumpQueue(redis.commands, 'reserve')
  expect(await joinMany('reserve', 1)).toEqual({ kind: 'reserve', tail: 0 })
  expect(await call('reserve', 9, 'raise', 'other')).toMatchObject({ kind: 'fenced' })
  expect(await dumpQueue(redis.commands, 'reserve')).toEqual(fresh)
  expect(await call('reserve', 5)).toEqual({ kind: 'reserved', ceiling: 5 })
  expect(await call('reserve', 3)).toEqual({ kind: 'reserved', ceiling: 5 })
  expect(await joinMany('reserve', 4)).toMatchObject({ positions: [1, 2, 3, 4] })
  const before = await dumpQueue(redis.commands, 'reserve')
  expect(await joinMany('reserve', 2)).toEqual({ kind: 'reserve', tail: 4 })
  expect(await dumpQueue(redis.commands, 'reserve')).toEqual(before)
  expect(await call('reserve', 2, 'lower')).toEqual({ kind: 'reserved', ceiling: 4 })
  expect(await call('reserve', 9, 'lower')).toEqual({ kind: 'reserved', ceiling: 4 })
  expect(await joinMany('reserve', 1)).toEqual({ kind: 'reserve', tail: 4 })
  await onDamage((sale) => call(sale, 9), 'reserve')
  watched.expectHeaderTrue()
})

test('join: no more places than the lane has, and whoever has one keeps it', async () => {
  await create('places', { places: 3 })
  expect(await join('places', 'a', 'b')).toMatchObject({ positions: [1, 2] })
  expect(await join('places', 'a', 'c', 'd', 'c')).toMatchObject({ positions: [1, 3, 0, 3] })
  expect(await join('places', 'd', 'b')).toMatchObject({ positions: [0, 2] })
  expect(await read('places')).toMatchObject({ tail: 3 })
})

test('join: the latest are remembered in a table of fixed size; the oldest of a bucket is forgotten first', async () => {
  await create('recent')
  const keyOf = (tag: number, bucket = 'ffff') => `${bucket}${String(tag).padStart(8, '-')}`
  const joinKeys = async (...client_keys: string[]) => {
    const result = await scripts.join.run(redis.commands, {
      sale: 'recent',
      lane,
      hash: 'ab',
      run_id: '',
      client_keys,
    })
    return result.kind === 'joined' ? result.positions : []
  }
  const tags = [1, 2, 3, 4, 5, 6, 7, 8]
  expect(await joinKeys(...tags.map((tag) => keyOf(tag)), keyOf(1, 'fffe'), keyOf(1, '0000'))).toEqual([
    ...tags,
    ...[9, 10],
  ])
  expect(await joinKeys(...tags.map((tag) => keyOf(tag)))).toEqual(tags)
  expect(await joinKeys(keyOf(9), ...[8, 2].map((tag) => keyOf(tag)))).toEqual([11, 8, 2])
  expect(await joinKeys(keyOf(1))).toEqual([12])
  // Neighbours are untouched.
  expect(await joinKeys(keyOf(1, 'fffe'), keyOf(1, '0000'))).toEqual([9, 10])
  expect(await redis.commands.strlen(keys.joins('recent'))).toBe(65_536 * 8 * 12)
})

test('read: as its header says', async () => {
  const watched = watchQueueScript(readSource)
  const call = (sale: string) => watched.during(redis.commands, sale, () => read(sale))
  await create('read', { rate: 2.5, opens_at: 7, secret: 'cd' })
  expect(await call('read')).toMatchObject({
    ...{ state: 'open', tail: 0, rate: 2.5, pace: 2.5, show: 1, opens_at: 7, running: true, dormant: false },
    ...{ entered: 0, in_checkout: 0, lobby: { size: 0, tickets_hash: '', secret: 'cd' } },
  })
  await joinMany('read', 4)
  await letPass(redis.commands, 'read', 10_000)
  await enter('read', 2)
  expect(await call('read')).toMatchObject({ tail: 4, serving: 4, entered: 1, in_checkout: 1 })
  await steer('read', { stopped: 'stock' })
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
  const later = Date.now() + HOUR
  await create('steer', { opens_at: later })
  await joinMany('steer', 2)
  const changes = {
    rate: 0.5,
    stopped: 'stock',
    opens_at: later + 1,
    ends_at: later + 2,
    state: 'paused',
    dormant: true,
  } as const
  expect(await call('steer', changes)).toBe('changed')
  expect((await dumpQueue(redis.commands, 'steer'))[queueOf('steer')]).toMatchObject({
    ...{ tail: '2', rate: '0.5', stopped: 'stock', opens_at: `${later + 1}`, state: 'paused', dormant: '1' },
    ends_at: `${later + 2}`,
  })
  const before = await dumpQueue(redis.commands, 'steer')
  for (const same of [
    {},
    { rate: 0.5 },
    { stopped: 'stock' },
    { state: 'paused', opens_at: later + 1 },
    { ends_at: later + 2 },
  ] as const)
    expect(await call('steer', same)).toBe('same')
  expect(await dumpQueue(redis.commands, 'steer')).toEqual(before)
  expect(await call('steer', { ends_at: null })).toBe('changed')
  expect(await call('steer', { ends_at: null })).toBe('same')
  // Open by now, although nobody has looked.
  await letPass(redis.commands, 'steer', 2 * HOUR)
  expect(await call('steer', { opens_at: later, state: 'open' })).toBe('opened')
  expect(await read('steer')).toMatchObject({ state: 'paused', lobby: { size: 2 } })
  await onDamage((sale) => call(sale, { rate: 3 }), 'steer')
  watched.expectHeaderTrue()
})

test('amend: as its header says', async () => {
  const watched = watchQueueScript(amendSource)
  const call = (sale: string, beginning: scripts.Beginning) =>
    watched.during(redis.commands, sale, () =>
      scripts.amend.run(redis.commands, { sale, lane, ...beginning }),
    )
  await create('amend', { opens_at: Date.now() + HOUR })
  const [secret, threshold] = ['a'.repeat(64), 7]
  expect(await call('amend', { secret, threshold })).toBe('amended')
  const before = await dumpQueue(redis.commands, 'amend')
  expect(before[queueOf('amend')]).toMatchObject({ secret, threshold: '7', dormant: '1', tail: '0' })
  expect(await call('amend', { secret, threshold })).toBe('same')
  expect(await dumpQueue(redis.commands, 'amend')).toEqual(before)
  expect(await call('amend', { secret: null, threshold: null })).toBe('amended')
  expect((await dumpQueue(redis.commands, 'amend'))[queueOf('amend')]).toMatchObject({
    ...{ secret: '', threshold: '', dormant: '0' },
  })
  await joinMany('amend', 1)
  const joined = await dumpQueue(redis.commands, 'amend')
  expect(await call('amend', { secret, threshold: null })).toBe('taken')
  expect(await call('amend', { secret: null, threshold })).toBe('taken')
  expect(await dumpQueue(redis.commands, 'amend')).toEqual(joined)
  await onDamage((sale) => call(sale, { secret, threshold }), 'amend')
  watched.expectHeaderTrue()
})

test('enter: as its header says', async () => {
  const watched = watchQueueScript(enterSource)
  const call = (sale: string, position: number, change?: Partial<scripts.Entering>) =>
    watched.during(redis.commands, sale, () => enter(sale, position, change))
  await create('enter')
  await joinMany('enter', 1000)
  await letPass(redis.commands, 'enter', 10_000)
  const position = (await serving('enter')) ?? 0
  const entered = await call('enter', position)
  expect(entered.kind).toBe('entered')
  expect(await redis.commands.pttl(passOf('enter', position))).toBeWithin(60_000, 61_001)
  const before = await dumpQueue(redis.commands, 'enter')
  expect(await call('enter', position)).toEqual(entered)
  expect(await call('enter', 1000)).toMatchObject({ kind: 'too_early', running: true })
  // About 10 a second, a window of one second.
  expect(await call('enter', position - 15, { window_ms: 1000 })).toEqual({ kind: 'turn_lapsed' })
  await steer('enter', { state: 'paused' })
  expect(await call('enter', position - 1)).toEqual({ kind: 'paused' })
  expect(await call('enter', position)).toEqual(entered)
  await steer('enter', { state: 'ended' })
  expect(await call('enter', position - 1)).toEqual({ kind: 'ended' })
  // Refusals left nothing behind.
  const queue = { [queueOf('enter')]: undefined }
  expect({ ...(await dumpQueue(redis.commands, 'enter')), ...queue }).toEqual({ ...before, ...queue })
  await redis.commands.del(passOf('enter', position))
  expect(await call('enter', position)).toEqual({ kind: 'turn_lapsed' })

  await create('enter-full')
  await joinMany('enter-full', 3)
  await letPass(redis.commands, 'enter-full', 10_000)
  expect((await call('enter-full', 2, { cap: 1 })).kind).toBe('entered')
  for (const full of [{ cap: 1 }, { units: 0 }])
    expect(await call('enter-full', 1, full)).toEqual({ kind: 'full' })
  // Whoever asks already, further ahead, comes first: there is room for one only.
  expect(await call('enter-full', 3, { cap: 2 })).toEqual({ kind: 'full' })
  expect((await call('enter-full', 1, { cap: 2 })).kind).toBe('entered')

  // Passed by one for whom there was room as well, and gone since: it was promised.
  await create('enter-passed')
  await joinMany('enter-passed', 4)
  await letPass(redis.commands, 'enter-passed', 10_000)
  for (const position of [1, 3])
    expect(await call('enter-passed', position, { enough: 0 })).toEqual({ kind: 'full' })
  expect((await call('enter-passed', 2)).kind).toBe('entered')
  for (const [position, kind] of [
    [3, 'full'],
    [4, 'full'],
    [1, 'entered'],
    [3, 'full'],
  ] as const)
    expect((await call('enter-passed', position, { enough: 0, units: 1 })).kind).toBe(kind)

  // But not while nothing is available.
  await create('enter-empty')
  await joinMany('enter-empty', 2)
  await letPass(redis.commands, 'enter-empty', 10_000)
  expect(await call('enter-empty', 1, { enough: 0 })).toEqual({ kind: 'full' })
  expect((await call('enter-empty', 2)).kind).toBe('entered')
  expect(await call('enter-empty', 1, { enough: 0, units: 0 })).toEqual({ kind: 'full' })
  await onDamage((sale) => call(sale, 1), 'enter')
  watched.expectHeaderTrue()
})

test('enter: in a batch later ones see what earlier ones did; a damaged pass is its owner’s trouble alone', async () => {
  await create('together')
  await joinMany('together', 6)
  await letPass(redis.commands, 'together', 10_000)
  const kinds = async (...positions: number[]) =>
    (await enterMany('together', positions, { cap: 2 })).map(({ kind }) => kind).join(' ')
  expect(await kinds(5, 5, 3, 2, 2, 5, 1_000_000)).toBe('entered entered entered full full entered too_early')
  expect(await redis.commands.zrange(keys.askers('together', lane), 0, '-1')).toEqual(['2'])
  expect((await read('together'))?.entered).toBe(2)
  expect(await redis.commands.hget(queueOf('together'), 'shows')).toBe('3')
  await redis.commands.set(passOf('together', 3), 'no pass')
  expect(await kinds(2, 3, 5, 6)).toBe('full turn_lapsed entered full')
})

test('enter: whoever found too many ahead counts anew once one of them is in', async () => {
  await create('crowded')
  await joinMany('crowded', 6)
  await letPass(redis.commands, 'crowded', 10_000)
  expect(await enter('crowded', 1, { cap: 0 })).toEqual({ kind: 'full' })
  const results = await enterMany('crowded', [5, 6, 1, 6, 5], { units: 1 })
  expect(results.map(({ kind }) => kind).join(' ')).toBe('full full entered full entered')
})

test('the turn comes with the serving number, not one place sooner', async () => {
  await create('turn')
  await joinMany('turn', 100)
  await letPass(redis.commands, 'turn', 5000)
  await steer('turn', { state: 'paused' })
  const position = (await serving('turn')) ?? 0
  expect(position).toBeGreaterThan(0)
  await steer('turn', { state: 'open', rate: 0.001 })
  expect(await enter('turn', position + 1)).toEqual({ kind: 'too_early', serving: position, running: true })
  expect((await enter('turn', position)).kind).toBe('entered')
})

const useOf = (position: number, change: Partial<PassUse> = {}): PassUse => ({
  ...{
    lane,
    position,
    order_id: `order-${position}`,
    user_id: 'ann',
    key: 'k1',
    body: 'tv-1',
    look_up: false,
    use: 'first',
  },
  ...change,
})
const SLOT_MS = 90_000
const bind = (sale: string, ...uses: PassUse[]) =>
  bindPasses.run(redis.commands, { sale, slot_ms: SLOT_MS, uses })
const unbind = (sale: string, position: number, use = 'first', order_id = `order-${position}`) =>
  unbindPass.run(redis.commands, { sale, lane, position, order_id, use })
/** A waiting room whose first `count` positions hold a pass. */
async function withPasses(sale: string, count: number): Promise<void> {
  await create(sale)
  await joinMany(sale, count)
  await letPass(redis.commands, sale, 10_000)
  for (let position = 1; position <= count; position += 1)
    expect((await enter(sale, position)).kind).toBe('entered')
}

test('whoever was passed has a token kept for them, also from those further ahead who come only now', async () => {
  await create('passed', { rate: 2, opens_at: Date.now() - 60_000 })
  await joinMany('passed', 10)
  await letPass(redis.commands, 'passed', 10_000)
  const kindOf = async (position: number) => (await enter('passed', position)).kind
  // A second's worth is taken; 7 finds nothing and asks again later.
  expect([await kindOf(5), await kindOf(6), await kindOf(7)]).toEqual(['entered', 'entered', 'full'])
  await letPass(redis.commands, 'passed', 1000)
  // Two tokens: one for 8, and one for 7, whom 8 passes.
  expect(await kindOf(8)).toBe('entered')
  expect(await kindOf(3)).toBe('full')
  expect(await kindOf(7)).toBe('entered')
  await letPass(redis.commands, 'passed', 1000)
  expect(await kindOf(3)).toBe('entered')
})

test('whoever was passed has a place in checkout kept for them as well', async () => {
  await create('place-kept', { rate: 100 })
  await joinMany('place-kept', 10)
  await letPass(redis.commands, 'place-kept', 10_000)
  const kindOf = async (position: number) => (await enter('place-kept', position, { cap: 2 })).kind
  expect([await kindOf(5), await kindOf(6), await kindOf(7)]).toEqual(['entered', 'entered', 'full'])
  // Two leave: one place for 8, and one for 7, whom 8 passes.
  await redis.commands.del(keys.checkouts('place-kept'))
  expect(await kindOf(8)).toBe('entered')
  expect(await kindOf(3)).toBe('full')
  expect(await kindOf(7)).toBe('entered')
})

test('bind-passes: as its header says', async () => {
  const watched = watchQueueScript(bindPassesSource)
  const call = (...uses: PassUse[]) => watched.during(redis.commands, 'bind', () => bind('bind', ...uses))
  await withPasses('bind', 3)
  expect(
    await call(
      useOf(1),
      useOf(1, { order_id: 'other', use: 'second' }),
      useOf(1, { user_id: 'bob' }),
      useOf(1, { key: 'k2' }),
      useOf(1, { body: 'tv-2' }),
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
  expect(await redis.commands.hgetall(passOf('bind', 1))).toMatchObject({
    ...{ 'use:first': '1', 'use:second': '1', request: 'order-1 k1 tv-1 ann' },
  })
  expect(await call(useOf(1, { look_up: true }))).toEqual([{ kind: 'repeated', order_id: 'order-1' }])
  expect(await redis.commands.exists(passOf('bind', 4))).toBe(0)
  // Remembered for an hour, whatever was left of the pass.
  expect(await redis.commands.pttl(passOf('bind', 1))).toBeWithin(HOUR - 10_000, HOUR + 1)
  watched.expectHeaderTrue()
})

test('look-passes: as its header says', async () => {
  const watched = watchQueueScript(lookPassesSource)
  await withPasses('look', 2)
  await bind('look', useOf(1))
  await redis.commands.set(passOf('look', 4), 'no pass')
  const places = [1, 2, 3, 4].map((position) => ({ sale: 'look', lane: MAIN_LANE, position }))
  const found = await watched.during(redis.commands, 'look', () => lookPasses.run(redis.commands, { places }))
  expect(found).toEqual(['bound', 'unused', 'unused', 'unused'])
  expect(await bind('look', useOf(4))).toEqual([{ kind: 'expired' }])
  watched.expectHeaderTrue()
})

test('a claim is a sign of life in checkout, but brings nobody in; one that is refused is none', async () => {
  await withPasses('alive', 2)
  const until = async (position: number) =>
    Number(await redis.commands.zscore(keys.checkouts('alive'), `${position}`))
  await redis.commands.zrem(keys.checkouts('alive'), '2')
  await bind('alive', useOf(1), useOf(2))
  expect(await until(1)).toBeWithin(Date.now() + SLOT_MS - 10_000, Date.now() + SLOT_MS + 1000)
  expect(await until(2)).toBe(0)
  const before = await until(1)
  await letPass(redis.commands, 'alive', 1000)
  const refused = [{ user_id: 'bob' }, { key: 'k2' }, { body: 'tv-2' }].map((change) => useOf(1, change))
  await bind('alive', ...refused, useOf(3, { look_up: true }))
  expect(await until(1)).toBe(before - 1000)
})

test('binding a pass never shortens its life', async () => {
  await create('long')
  await joinMany('long', 1)
  await letPass(redis.commands, 'long', 10_000)
  await enter('long', 1, { lifetime_ms: 5 * HOUR })
  await bind('long', useOf(1))
  expect(await redis.commands.pttl(passOf('long', 1))).toBeWithin(5 * HOUR, 5 * HOUR + 1001)
})

test('unbind-pass: as its header says', async () => {
  const watched = watchQueueScript(unbindPassSource)
  const call = (use?: string, order_id?: string) =>
    watched.during(redis.commands, 'unbind', () => unbind('unbind', 1, use, order_id))
  const passNow = () => redis.commands.hgetall(passOf('unbind', 1))
  await withPasses('unbind', 1)
  const free = await passNow()
  expect(await call()).toBe('free')
  expect(await passNow()).toEqual(free)
  await bind('unbind', useOf(1), useOf(1, { use: 'second' }))
  const bound = await passNow()
  expect(await call('first', 'another')).toBe('free')
  // Of a call whose answer was lost before it had done anything.
  expect(await call('third')).toBe('bound')
  expect(await passNow()).toEqual(bound)
  expect(await call('second')).toBe('bound')
  // Ending it again ends no other.
  expect(await call('second')).toBe('bound')
  expect(await bind('unbind', useOf(1, { key: 'k2' }))).toEqual([{ kind: 'used' }])
  expect(await call()).toBe('free')
  expect(await passNow()).toEqual(free)
  watched.expectHeaderTrue()
})

test('what the shared heads say a queue holds is all it holds', async () => {
  const said = [servingSource, admissionSource].flatMap((source) =>
    [...source.matchAll(/^-- {3}((?:[a-z_]+ )+) /gm)].flatMap(([, names = '']) => names.trim().split(' ')),
  )
  await create('fields', { threshold: 3, opens_at: Date.now() + HOUR })
  await joinMany('fields', 3)
  await letPass(redis.commands, 'fields', 2 * HOUR)
  await joinMany('fields', 3)
  await joinMany('fields', 10)
  await letPass(redis.commands, 'fields', 10_000)
  expect((await enter('fields', 1)).kind).toBe('entered')
  const held = Object.keys(await redis.commands.hgetall(queueOf('fields')))
  expect(held.sort()).toEqual(said.sort())
})
