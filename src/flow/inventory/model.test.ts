import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { eventsOf, itemOf, keyOf } from '../../../test/support/inventory.ts'
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts'
import { replaySettings } from '../../../test/support/seed.ts'
import { connectRedis, type RedisConnection } from '../../platform/redis.ts'
import { type ClaimOutcome, type ClaimRequest, createInventory, type Inventory } from './inventory.ts'
import { InventoryModel, type ModelEvent, type ModelOutcome } from './model.ts'
import { change, claimRequest, orderId } from './model-inputs.ts'

/** The same commands to the model and to the real Redis: same answers, and the same state after each. */

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

interface Real {
  readonly item_id: string
}
type Command = fc.AsyncCommand<InventoryModel, Real>

/** A command whose two answers must be equal, and the item equal to the model after it. */
function command<Input>(
  name: string,
  input: Input,
  act: (model: InventoryModel, item_id: string) => Promise<{ expected: unknown; actual: unknown }>,
  check: (model: Readonly<InventoryModel>) => boolean = () => true,
): Command {
  return {
    check,
    run: async (model, { item_id }) => {
      const { expected, actual } = await act(model, item_id)
      expect(actual).toEqual(expected)
      await expectSame(model, item_id)
    },
    toString: () => `${name}(${JSON.stringify(input)})`,
  }
}

async function expectSame(model: InventoryModel, item_id: string) {
  const stock = await inventory.stock(item_id)
  expect(stock !== undefined).toBe(model.loaded)
  if (!stock) return
  const { total, available, held, sold, seq, epoch } = stock
  expect(available + held + sold).toBe(total)
  expect(Math.min(available, held, sold)).toBeGreaterThanOrEqual(0)
  expect({ total, available, held, sold, seq }).toEqual(model.counts())
  expect(epoch).toBe(model.epoch)

  const holds = await inventory.holds(item_id)
  const byClaim = holds.toSorted((one, other) => one.claim_seq - other.claim_seq)
  expect(
    byClaim.map(({ order_id, user_id, quantity, claim_seq, deadline, created_at }) => ({
      ...{ order_id, user_id, quantity, claim_seq, hold_ms: deadline - created_at },
    })),
  ).toEqual(model.holds())
  expect((await eventsOf(redis.commands, item_id)).map(untimed)).toEqual([...model.events])
}

/** An outbox entry without its times and the fields that are the same for every event of the item. */
function untimed(event: Record<string, string>): ModelEvent {
  const { type, order_id = '', user_id = '', quantity, amount, claim_seq } = event
  expect(event).toMatchObject({ version: '1', sale_id: 'sale-1', timestamp: expect.any(String) as string })
  return {
    type: type as ModelEvent['type'],
    ...{ order_id, user_id, quantity: Number(quantity) },
    ...(amount === undefined ? {} : { amount: Number(amount) }),
    ...(claim_seq === undefined ? {} : { claim_seq: Number(claim_seq) }),
  }
}

/** An outcome as the model tells it, its times checked against the request first. */
function untimedOutcome(outcome: ClaimOutcome, request: ClaimRequest): ModelOutcome {
  if (outcome.kind === 'reserved') {
    expect(outcome.pay_by - outcome.timestamp).toBe(request.pay_ms)
    expect(outcome.hold_expires_at - outcome.timestamp).toBe(request.hold_ms)
    return { kind: 'reserved', claim_seq: outcome.claim_seq }
  }
  if (outcome.kind !== 'repeated') return outcome
  const { kind, quantity, hold } = outcome
  return { kind, quantity, ...(hold ? { claim_seq: hold.claim_seq } : {}) }
}

const load = fc.nat(8).map((total) =>
  command('load', total, async (model, item_id) => {
    const item = itemOf(item_id, { total })
    return { expected: model.load(item), actual: await inventory.load(item) }
  }),
)
const claim = fc.array(claimRequest, { minLength: 1, maxLength: 4 }).map((claims) =>
  command('claim', claims, async (model, item_id) => {
    const requests = claims.map((request) => ({ ...request, item_id }))
    const outcomes = await Promise.all(requests.map((request) => inventory.claim(request)))
    return {
      expected: requests.map((request) => model.claim(request)),
      actual: outcomes.map((outcome, at) => untimedOutcome(outcome, requests[at] as ClaimRequest)),
    }
  }),
)
const settle = orderId.map((order_id) =>
  command('settle', order_id, async (model, item_id) => ({
    expected: model.settle(order_id),
    actual: await inventory.settle(item_id, order_id),
  })),
)
const release = orderId.map((order_id) =>
  command('release', order_id, async (model, item_id) => ({
    expected: model.release(order_id),
    actual: await inventory.release(item_id, order_id),
  })),
)
const due = fc.record({ max: fc.constantFrom(1, 100), graceMs: fc.constantFrom(0, 1_000_000) }).map((input) =>
  command('due', input, async (model, item_id) => {
    const overdue = model.holds().filter(({ hold_ms }) => hold_ms + input.graceMs === 0)
    const found = (await inventory.due(item_id, input.max, input.graceMs)).map(({ order_id }) => order_id)
    const known = overdue.map(({ order_id }) => order_id)
    return {
      expected: { count: Math.min(known.length, input.max), strangers: [] },
      actual: { count: found.length, strangers: found.filter((order_id) => !known.includes(order_id)) },
    }
  }),
)
const setState = change.map((input) =>
  command('setState', input, async (model, item_id) => ({
    expected: model.change(input),
    actual: await inventory.setState(item_id, input),
  })),
)
const whenLoaded = (model: Readonly<InventoryModel>) => model.loaded
/** As a restart of the server does it. */
const fence = async (model: InventoryModel, item_id: string) => {
  model.fenced = true
  return { expected: 0, actual: await redis.commands.hset(keyOf(item_id, 'stock'), 'run_id', 'another') }
}
const adopt = fc.constantFrom(0, 0, -1).map((off) =>
  command('adopt', off, async (model, item_id) => {
    const epoch = model.epoch + off
    return { expected: model.adopt(epoch), actual: await inventory.adopt(item_id, epoch) }
  }),
)
/** From the truth as it is: nothing may change but the epoch and the fence. */
const rebuild = async (model: InventoryModel, item_id: string) => {
  const stock = await inventory.stock(item_id)
  if (!stock) throw new Error('loaded, but without stock')
  const { sold, seq } = model.counts()
  const holds = await inventory.holds(item_id)
  const truth = { ...itemOf(item_id), ...stock, sold, seq, holds, orders: model.ended() }
  expect(model.adopt(stock.epoch)).toBe('adopted')
  return { expected: 'rebuilt', actual: await inventory.rebuild({ ...truth, run_id: redis.runId() ?? '' }) }
}
const commands: fc.Arbitrary<Command>[] = [
  // As often as they stand here: an item must be loaded before much can happen to it.
  ...[load, load, claim, claim, claim, claim, settle, release, release, due, setState, adopt, adopt],
  fc.constant(command('fence', null, fence, whenLoaded)),
  fc.constant(command('rebuild', null, rebuild, whenLoaded)),
]

let items = 0
test('the real inventory and the model agree on every answer and after every step', async () => {
  const run = fc.asyncProperty(fc.commands(commands, { maxCommands: 80, size: 'max' }), async (steps) => {
    const item_id = `item-${++items}`
    await fc.asyncModelRun(() => ({ model: new InventoryModel(), real: { item_id } }), steps)
  })
  await fc.assert(run, { ...replaySettings('inventory model'), numRuns: 150 })
}, 60_000)
