import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { eventsOf, itemOf, keyOf } from '../../../test/support/inventory.ts'
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts'
import { replaySettings } from '../../../test/support/seed.ts'
import { connectRedis, type RedisConnection } from '../../platform/redis.ts'
import type { DomainEvent } from '../../contracts/events.ts'
import { parseEntry } from '../events/entry.ts'
import {
  type ClaimOutcome,
  type ClaimTimes,
  createInventory,
  type DueHold,
  type Inventory,
  type Stock,
} from './inventory.ts'
import { InventoryModel } from './model.ts'
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
  const { available, held, sold, total } = stock
  expect(available + held + sold).toBe(total)
  expect(Math.min(available, held, sold)).toBeGreaterThanOrEqual(0)
  expect(stock).toEqual(model.stock() as Stock)

  const byClaim = (holds: DueHold[]) =>
    holds
      .toSorted((one, other) => one.claim_seq - other.claim_seq)
      .map(({ deadline, created_at, pay_by, ...hold }) => ({
        ...hold,
        hold_ms: deadline - created_at,
        pay_ms: pay_by - created_at,
      }))
  expect(byClaim(await inventory.holds(item_id))).toEqual(byClaim(model.holds()))
  const written = (await eventsOf(redis.commands, item_id)).map((fields) =>
    parseEntry(Object.entries(fields).flat()),
  )
  expect(written.map((event) => untimedEvent(event as DomainEvent))).toEqual(
    model.events.map(({ event }) => untimedEvent(event)),
  )
}

/** An event whose times are told as distances from its own. */
function untimedEvent({ timestamp, ...event }: DomainEvent) {
  if (event.type === 'Restocked') return event
  const { pay_by, hold_expires_at, ...rest } = event
  return { ...rest, pay_ms: pay_by - timestamp, hold_ms: hold_expires_at - timestamp }
}

function untimedOutcome(outcome: ClaimOutcome) {
  const untimed = ({ claim_seq, timestamp, pay_by, hold_expires_at }: ClaimTimes) => ({
    ...{ claim_seq, pay_ms: pay_by - timestamp, hold_ms: hold_expires_at - timestamp },
  })
  if (outcome.kind === 'reserved') return { kind: outcome.kind, ...untimed(outcome) }
  if (outcome.kind !== 'repeated' || outcome.hold === undefined) return outcome
  return { ...outcome, hold: untimed(outcome.hold) }
}

const runId = () => redis.runId() ?? ''
const load = fc.nat(8).map((total) =>
  command('load', total, async (model, item_id) => {
    const item = itemOf(item_id, { total })
    return { expected: model.load(item, runId()), actual: await inventory.load(item) }
  }),
)
const claim = fc.array(claimRequest, { minLength: 1, maxLength: 4 }).map((claims) =>
  command('claim', claims, async (model, item_id) => {
    const requests = claims.map((request) => ({ ...request, item_id }))
    const outcomes = await Promise.all(requests.map((request) => inventory.claim(request)))
    return {
      expected: requests.map((request) => untimedOutcome(model.claim(request, runId()))),
      actual: outcomes.map(untimedOutcome),
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
    const overdue = model.due(Infinity, input.graceMs)
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
const restart = async (model: InventoryModel, item_id: string) => {
  model.run_id = 'another'
  return { expected: 0, actual: await redis.commands.hset(keyOf(item_id, 'stock'), 'run_id', 'another') }
}
const adopt = fc.constantFrom(0, 0, -1).map((off) =>
  command('adopt', off, async (model, item_id) => {
    const epoch = model.epoch + off
    return { expected: model.adopt(epoch, runId()), actual: await inventory.adopt(item_id, epoch) }
  }),
)
const fenceByEpoch = fc.constantFrom(0, -1).map((off) =>
  command('fence', off, async (model, item_id) => {
    const epoch = model.epoch + off
    return { expected: model.fence(epoch), actual: await inventory.fence(item_id, epoch) }
  }),
)
const lower = fc.nat(8).map((units) =>
  command('lower', units, async (model, item_id) => ({
    expected: model.lower(units),
    actual: await inventory.lower(item_id, units),
  })),
)
/** From the truth as it is, or from one that is a little off. */
const rebuild = fc
  .record({
    truth: fc.constantFrom('exact', 'exact', 'stale', 'blind', 'blind but old', 'too much'),
    lose: fc.nat(3),
    more: fc.nat(2),
    fenced: fc.boolean(),
  })
  .map((input) =>
    command(
      'rebuild',
      input,
      async (model, item_id) => {
        const stock = model.stock() as Stock
        const ended = model.orders.filter(({ status }) => status !== 'held')
        const held = model.holds().slice(input.lose)
        const epoch = stock.epoch - (input.truth === 'blind but old' ? 1 : 0)
        const seen = input.truth === 'stale' ? { ...stock, available: stock.available + 1 } : stock
        const truth = {
          ...{ ...itemOf(item_id), ...stock, holds: held, epoch, run_id: runId() },
          ...(input.truth.startsWith('blind') ? {} : { seen }),
          sold: input.truth === 'too much' ? stock.total + 1 : stock.sold,
          seq: stock.seq + input.more,
          fenced: input.fenced,
          orders: ended.map(({ order_id, user_id, quantity, status }) => ({
            ...{ order_id, user_id, quantity: status === 'sold' ? quantity : 0 },
          })),
        }
        // The same holds, as each has timed them.
        const kept = new Set(held.map(({ order_id }) => order_id))
        const holds = (await inventory.holds(item_id)).filter(({ order_id }) => kept.has(order_id))
        return { expected: model.rebuild(truth), actual: await inventory.rebuild({ ...truth, holds }) }
      },
      whenLoaded,
    ),
  )
const commands: fc.Arbitrary<Command>[] = [
  // As often as they stand here: an item must be loaded before much can happen to it.
  ...[load, load, claim, claim, claim, claim, settle, release, release, due, setState, adopt, adopt],
  fc.constant(command('restart', null, restart, whenLoaded)),
  ...[rebuild, fenceByEpoch, lower],
]

let items = 0
test('the real inventory and the model agree on every answer and after every step', async () => {
  const run = fc.asyncProperty(fc.commands(commands, { maxCommands: 80, size: 'max' }), async (steps) => {
    const item_id = `item-${++items}`
    await fc.asyncModelRun(() => ({ model: new InventoryModel(), real: { item_id } }), steps)
  })
  await fc.assert(run, { ...replaySettings('inventory model'), numRuns: 150 })
}, 60_000)
