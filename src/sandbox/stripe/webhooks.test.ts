import { afterEach, beforeEach, expect, test } from 'bun:test'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, startReceiver, startStripeSandbox } from '../../../test/support/stripe.ts'
import type { Received, TestSandbox } from '../../../test/support/stripe.ts'

let folder: string
const open: AsyncDisposable[] = []

beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'stripe-sandbox-'))))
afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

function keep<T extends AsyncDisposable>(resource: T): T {
  open.push(resource)
  return resource
}

/** A payment that is authorised: three events. */
async function pay(stripe: TestSandbox, orderId = 'order-1'): Promise<string> {
  const fields = {
    amount: '700',
    currency: 'eur',
    capture_method: 'manual',
    confirm: 'true',
    payment_method: 'pm_card_visa',
    'metadata[order_id]': orderId,
  }
  const answer = await stripe.api('POST', '/v1/payment_intents', fields, { 'idempotency-key': orderId })
  expect(answer.status).toBe(200)
  return answer.body['id'] as unknown as string
}

const undelivered = async (stripe: TestSandbox) =>
  (await stripe.call('GET', '/_sandbox/ledger')).body['undelivered_webhooks'] as unknown

const threeTypes = ['charge.succeeded', 'payment_intent.amount_capturable_updated', 'payment_intent.created']
const sorted = (events: Received[]) => events.map(({ type }) => type).sort()

test('events are delivered once when acknowledged', async () => {
  const receiver = keep(startReceiver())
  const stripe = keep(await startStripeSandbox({ webhookUrl: receiver.url }))
  await pay(stripe)
  await eventually(async () => (await undelivered(stripe)) === 0)
  expect(sorted(receiver.received)).toEqual(threeTypes)
})

test('refused events are sent again, signed anew, until acknowledged', async () => {
  let seconds = 1_800_000_000
  const clock = {
    now: () => seconds * 1000,
    sleep: async () => {
      seconds += 60
      await new Promise<void>((resolve) => setImmediate(resolve))
    },
  }
  const receiver = keep(startReceiver((n) => (n <= 7 ? 500 : 200)))
  const stripe = keep(await startStripeSandbox({ webhookUrl: receiver.url, clock }))
  await pay(stripe)
  await eventually(async () => (await undelivered(stripe)) === 0)
  expect(receiver.received).toHaveLength(10)
  const provider = stripe.provider({ clock })
  const retried = Map.groupBy(receiver.received, ({ id }) => id)
  expect(retried.size).toBe(3)
  for (const attempts of retried.values()) {
    expect(new Set(attempts.map(({ raw }) => raw)).size).toBe(1)
    const signatures = attempts.map(({ headers }) => headers.get('stripe-signature') ?? '')
    if (attempts.length > 1) expect(new Set(signatures).size).toBeGreaterThan(1)
    for (const { raw, headers } of attempts) {
      const [, signedAt] = /^t=(\d+),v1=[0-9a-f]{64}$/.exec(headers.get('stripe-signature') ?? '') ?? []
      expect((await provider.readWebhook(raw, headers, Number(signedAt))).kind).not.toBe('invalid')
    }
  }
})

test('duplicate: every event comes twice, with one id', async () => {
  const receiver = keep(startReceiver())
  const stripe = keep(await startStripeSandbox({ webhookUrl: receiver.url }))
  await stripe.faults({ webhooks: 'duplicate' })
  await pay(stripe)
  await eventually(() => receiver.received.length === 6)
  expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(3)
})

test('drop: events are lost for good, the next ones are not', async () => {
  const receiver = keep(startReceiver())
  const stripe = keep(await startStripeSandbox({ webhookUrl: receiver.url }))
  await stripe.faults({ webhooks: 'drop' })
  const lost = await pay(stripe, 'order-lost')
  await stripe.faults({ webhooks: 'deliver' })
  const seen = await pay(stripe, 'order-seen')
  await eventually(async () => (await undelivered(stripe)) === 0)
  expect(receiver.received.filter(({ raw }) => raw.includes(seen))).toHaveLength(3)
  expect(receiver.received.filter(({ raw }) => raw.includes(lost))).toHaveLength(0)
})

test('reorder: the newest event comes first', async () => {
  const receiver = keep(startReceiver())
  const stripe = keep(await startStripeSandbox({ webhookUrl: receiver.url }))
  await stripe.faults({ webhooks: 'reorder', reorder_hold_ms: 30 })
  await pay(stripe)
  await eventually(() => receiver.received.length === 3)
  expect(receiver.types()).toEqual([
    'payment_intent.amount_capturable_updated',
    'charge.succeeded',
    'payment_intent.created',
  ])
})

test('a restart finds the ledger, the answers to keys, and the events nobody acknowledged', async () => {
  const refusing = keep(startReceiver(() => 503))
  const before = await startStripeSandbox({ webhookUrl: refusing.url, dataDir: folder })
  const ref = await pay(before)
  await eventually(() => new Set(refusing.received.map(({ id }) => id)).size === 3)
  const ledger = before.sandbox.ledger()
  await before[Symbol.asyncDispose]()

  const receiver = keep(startReceiver())
  const after = keep(await startStripeSandbox({ webhookUrl: receiver.url, dataDir: folder }))
  await eventually(async () => (await undelivered(after)) === 0)
  expect(sorted(receiver.received)).toEqual(threeTypes)
  expect(after.sandbox.ledger()).toEqual(ledger)
  expect(ledger).toMatchObject([{ order_id: 'order-1', authorised: 700, authorisations: 1 }])
  expect(await pay(after)).toBe(ref)
  expect(after.sandbox.ledger()).toHaveLength(1)
  expect((await after.api('POST', `/v1/payment_intents/${ref}/capture`)).status).toBe(200)
})

test('a restart sends nothing again that was acknowledged', async () => {
  const receiver = keep(startReceiver())
  const before = await startStripeSandbox({ webhookUrl: receiver.url, dataDir: folder })
  await pay(before)
  await eventually(async () => (await undelivered(before)) === 0)
  await before[Symbol.asyncDispose]()
  const after = keep(await startStripeSandbox({ webhookUrl: receiver.url, dataDir: folder }))
  await pay(after, 'order-2')
  await eventually(async () => (await undelivered(after)) === 0)
  expect(receiver.received).toHaveLength(6)
})

test('a line torn by a crash is dropped, and writing goes on behind it', async () => {
  const before = await startStripeSandbox({ dataDir: folder })
  await pay(before)
  await before[Symbol.asyncDispose]()
  appendFileSync(join(folder, 'stripe-sandbox.jsonl'), '[{"object":"payment_intent","id":"pi_to')
  const second = await startStripeSandbox({ dataDir: folder })
  await pay(second, 'order-2')
  await second[Symbol.asyncDispose]()
  const third = keep(await startStripeSandbox({ dataDir: folder }))
  expect(third.sandbox.ledger().map(({ order_id }) => order_id)).toEqual(['order-1', 'order-2'])
})
