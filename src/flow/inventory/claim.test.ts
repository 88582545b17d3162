import { afterAll, beforeAll, expect, test } from 'bun:test'
import { claimOf, dump, eventsOf, itemOf, keyOf, watchScript } from '../../../test/support/inventory.ts'
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts'
import { connectRedis, type RedisConnection } from '../../platform/redis.ts'
import source from './claim.lua' with { type: 'text' }
import {
  type ClaimOutcome,
  type ClaimRequest,
  type ClaimTimes,
  createInventory,
  type Inventory,
  type LoadItem,
} from './inventory.ts'

let server: TestRedis
let redis: RedisConnection
let inventory: Inventory
beforeAll(async () => {
  server = await startTestRedis()
  redis = await connectRedis({ url: server.url })
  inventory = createInventory({ redis })
})
afterAll(async () => {
  await redis.close()
  await server.stop()
})

const watched = watchScript(source)
/** Claims sent in one event-loop turn, so in one batch. */
const claimAll = (item_id: string, requests: readonly ClaimRequest[]) =>
  watched.during(redis.commands, item_id, () =>
    Promise.all(requests.map((request) => inventory.claim(request))),
  )
const claim = async (request: ClaimRequest) => (await claimAll(request.item_id, [request]))[0]
const load = (item_id: string, change: Partial<LoadItem> = {}) => inventory.load(itemOf(item_id, change))
const timesOf = (outcome: ClaimOutcome | undefined): ClaimTimes => {
  if (outcome?.kind !== 'reserved') throw new Error(`not reserved: ${JSON.stringify(outcome)}`)
  const { claim_seq, timestamp, pay_by, hold_expires_at } = outcome
  return { claim_seq, timestamp, pay_by, hold_expires_at }
}
const stock = async (item_id: string) => (await dump(redis.commands, item_id))['stock']

test('reserved: units move from available to held, with hold, claim, buyer and event', async () => {
  await load('reserve')
  const request = claimOf('reserve', { quantity: 2, amount: 3998 })
  const [seconds = 0, micros = 0] = (await redis.commands.time()).map(Number)
  const outcome = await claim(request)
  const { claim_seq, timestamp, pay_by, hold_expires_at } = timesOf(outcome)
  expect(claim_seq).toBe(1)
  expect(timestamp).toBeGreaterThanOrEqual(seconds * 1000 + Math.floor(micros / 1000))
  expect(pay_by).toBe(timestamp + request.pay_ms)
  expect(hold_expires_at).toBe(timestamp + request.hold_ms)

  const { order_id, user_id } = request
  const found = await dump(redis.commands, 'reserve')
  expect(found['stock']).toMatchObject({ total: '10', available: '8', held: '2', sold: '0', seq: '1' })
  expect(found['buyers']).toEqual({ [user_id]: `${order_id}:2` })
  expect(found['holds']).toEqual([order_id, String(hold_expires_at)])
  expect(found['claims']).toEqual({ [order_id]: `2 1 ${timestamp} ${pay_by} ${user_id}` })
  expect(await eventsOf(redis.commands, 'reserve')).toEqual([
    {
      ...{ type: 'OrderCreated', version: '1', order_id, user_id, item_id: 'reserve', sale_id: 'sale-1' },
      ...{ quantity: '2', timestamp: String(timestamp), amount: '3998', currency: 'EUR', claim_seq: '1' },
      ...{ pay_by: String(pay_by), hold_expires_at: String(hold_expires_at) },
    },
  ])
})

test('repeated: the same order tells its times while held, its quantity once sold, 0 once released', async () => {
  await load('repeat')
  const request = claimOf('repeat', { quantity: 2 })
  const first = await claim(request)
  const hold = timesOf(first)
  const before = await dump(redis.commands, 'repeat')
  expect(await claim(request)).toEqual({ kind: 'repeated', quantity: 2, hold })
  expect(await claim({ ...request, quantity: 1 })).toEqual({ kind: 'repeated', quantity: 2, hold })
  expect(await dump(redis.commands, 'repeat')).toEqual(before)

  const released = claimOf('repeat')
  await claim(released)
  await inventory.settle('repeat', request.order_id)
  await inventory.release('repeat', released.order_id)
  expect(await claim(request)).toEqual({ kind: 'repeated', quantity: 2 })
  expect(await claim(released)).toEqual({ kind: 'repeated', quantity: 0 })
})

test('repeated comes before every refusal but fenced and unloaded', async () => {
  await load('truth', { total: 1 })
  const request = claimOf('truth', { limit: 1 })
  await claim(request)
  const other = claimOf('truth')
  const expectTruth = async (kind: string) => {
    expect((await claim(other))?.kind).toBe(kind as 'ended')
    expect((await claim(request))?.kind).toBe('repeated')
  }
  await expectTruth('held_out')
  await inventory.setState('truth', { state: 'paused' })
  await expectTruth('paused')
  await inventory.setState('truth', { state: 'ended' })
  await expectTruth('ended')
  await inventory.setState('truth', { state: 'open', opens_at: 9e12 })
  await expectTruth('not_open')
  await inventory.setState('truth', { opens_at: 0 })
  await inventory.settle('truth', request.order_id)
  await expectTruth('sold_out')
})

test('limit_reached: held and sold units of the buyer count, released ones do not', async () => {
  await load('limit')
  const mine = (change: Partial<ClaimRequest> = {}) =>
    claimOf('limit', { user_id: 'one buyer', limit: 3, ...change })
  const sold = mine()
  const held = mine()
  expect(await claim(mine({ quantity: 4 }))).toEqual({ kind: 'limit_reached' })
  expect((await claim(sold))?.kind).toBe('reserved')
  await inventory.settle('limit', sold.order_id)
  expect((await claim(held))?.kind).toBe('reserved')
  expect(await claim(mine({ quantity: 2 }))).toEqual({ kind: 'limit_reached' })
  await inventory.release('limit', held.order_id)
  expect((await claim(mine({ quantity: 2 })))?.kind).toBe('reserved')
  expect(await claim(mine())).toEqual({ kind: 'limit_reached' })
})

test('not_enough_left, held_out, sold_out', async () => {
  await load('little', { total: 3 })
  const two = claimOf('little', { quantity: 2 })
  const one = claimOf('little')
  await claim(two)
  expect(await claim(claimOf('little', { quantity: 2 }))).toEqual({ kind: 'not_enough_left', available: 1 })
  await claim(one)
  expect(await claim(claimOf('little'))).toEqual({ kind: 'held_out' })
  await inventory.settle('little', two.order_id)
  expect(await claim(claimOf('little'))).toEqual({ kind: 'held_out' })
  await inventory.settle('little', one.order_id)
  expect(await claim(claimOf('little'))).toEqual({ kind: 'sold_out' })
  expect(await stock('little')).toMatchObject({ available: '0', held: '0', sold: '3' })
})

test('not_open, paused, ended, by state and by time', async () => {
  await load('times', { opens_at: 9e12 })
  expect((await claim(claimOf('times')))?.kind).toBe('not_open')
  await inventory.setState('times', { opens_at: 0, ends_at: 1 })
  expect((await claim(claimOf('times')))?.kind).toBe('ended')
  await inventory.setState('times', { ends_at: 9e12, state: 'paused' })
  expect((await claim(claimOf('times')))?.kind).toBe('paused')
  await inventory.setState('times', { state: 'open' })
  expect((await claim(claimOf('times')))?.kind).toBe('reserved')
})

test('foreign: an order that another buyer holds is not taken over', async () => {
  await load('foreign')
  const request = claimOf('foreign')
  await claim(request)
  const before = await dump(redis.commands, 'foreign')
  expect(await claim({ ...request, user_id: 'thief' })).toEqual({ kind: 'foreign' })
  expect(await dump(redis.commands, 'foreign')).toEqual(before)
  const fresh = claimOf('foreign')
  const both = await claimAll('foreign', [fresh, { ...fresh, user_id: 'thief' }])
  expect(both.map(({ kind }) => kind)).toEqual(['reserved', 'foreign'])

  // Its first buyer, once released, is told of that and not of the hold the other has by now.
  await inventory.release('foreign', fresh.order_id)
  expect((await claim({ ...fresh, user_id: 'thief' }))?.kind).toBe('reserved')
  expect(await claim(fresh)).toEqual({ kind: 'repeated', quantity: 0 })
})

test('fenced: another run_id sells nothing; unloaded: an item that is not there is not created', async () => {
  await load('fence')
  const request = claimOf('fence')
  await claim(request)
  await redis.commands.hset(keyOf('fence', 'stock'), 'run_id', 'of another process')
  const before = await dump(redis.commands, 'fence')
  expect(await claim(claimOf('fence'))).toEqual({ kind: 'fenced' })
  expect(await claim(request)).toEqual({ kind: 'fenced' })
  expect(await dump(redis.commands, 'fence')).toEqual(before)

  expect(await claim(claimOf('nowhere'))).toEqual({ kind: 'unloaded' })
  expect(await dump(redis.commands, 'nowhere')).toEqual({})
})

test('a batch keeps its order, and later requests see what earlier ones took', async () => {
  await load('batch', { total: 4 })
  const first = claimOf('batch', { user_id: 'greedy', quantity: 2 })
  const requests = [
    first,
    claimOf('batch', { user_id: 'greedy' }),
    first,
    claimOf('batch'),
    claimOf('batch', { quantity: 2 }),
    claimOf('batch'),
    claimOf('batch'),
  ]
  const outcomes = await claimAll('batch', requests)
  expect(outcomes.map(({ kind }) => kind).join(' ')).toBe(
    'reserved limit_reached repeated reserved not_enough_left reserved held_out',
  )
  expect(outcomes[2]).toEqual({ kind: 'repeated', quantity: 2, hold: timesOf(outcomes[0]) })
  const events = await eventsOf(redis.commands, 'batch')
  expect(events.map((event) => event['order_id'])).toEqual(
    [0, 3, 5].map((index) => requests[index]?.order_id),
  )
  expect(events.map((event) => event['claim_seq'])).toEqual(['1', '2', '3'])
})

test('the header of claim.lua is true', () => watched.expectHeaderTrue())
