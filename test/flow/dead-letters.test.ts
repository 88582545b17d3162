import { afterAll, beforeAll, expect, test } from 'bun:test'
import { startApp, type TestApp } from '../support/app.ts'
import { createBuyer, createSale } from '../support/buyer.ts'
import { eventually } from '../support/stripe.ts'

// An event that SQL refuses, from the order worker to the operator's API and back.

let app: TestApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app.close())

interface Letter {
  readonly id: string
  readonly item_id: string
  readonly reason: string
  readonly fields: Record<string, string>
}
const lettersOf = async (item: string) =>
  (await app.operate<{ dead_letters: Letter[] }>('GET', 'dead-letters')).body.dead_letters.filter(
    ({ item_id }) => item_id === item,
  )
const replay = (id: string, reason: string) => app.operate('POST', `dead-letters/${id}/replay`, { reason })
const quiet = () => app.withWorker(() => eventually(async () => (await app.app.eventLog.backlog()) === 0))
/** While `work` runs, no shard takes orders of the item. */
const refusing = async (item: string, work: () => Promise<void>) => {
  const { all } = app.app.shards
  for (const shard of all)
    await shard.query(
      `alter table orders add constraint no_${item.replace('-', '_')} check (item_id <> '${item}')`,
    )
  await work()
  for (const shard of all)
    await shard.query(`alter table orders drop constraint no_${item.replace('-', '_')}`)
}
/** Somebody whose order was refused, beside somebody whose order was not. */
async function poisoned() {
  const [{ sale, item }, good] = [await createSale(app), await createSale(app)]
  const [buyer, other] = [createBuyer(app), createBuyer(app)]
  const { order_id } = (await buyer.claim(await buyer.pass(sale), item)).body
  const written = (await other.claim(await other.pass(good.sale), good.item)).body.order_id
  await refusing(item, quiet)
  expect((await other.shop('GET', `/api/orders/${written}`)).body['status']).toBe('PENDING')
  const [letter, ...more] = await lettersOf(item)
  if (letter === undefined) throw new Error('nothing was set aside')
  expect(more).toEqual([])
  const status = async () => (await buyer.shop('GET', `/api/orders/${order_id}`)).body['status']
  return { item, order_id, letter, status }
}
const auditOf = async (id: string) =>
  (await app.operate<{ entries: { target: string }[] }>('GET', 'audit')).body.entries.filter(
    ({ target }) => target === id,
  )

test('is set aside and holds up nobody, is listed, replayed and handled; the audit log says who asked', async () => {
  const { item, order_id, letter, status } = await poisoned()
  expect(letter.fields).toMatchObject({ type: 'OrderCreated', order_id })
  expect(letter.reason).toContain(`no_${item.replace('-', '_')}`)
  // The unit is held, and the buyer is not told that they have nothing.
  expect(await status()).toBe('PROCESSING')
  expect((await replay(letter.id, 'the constraint is gone')).body).toEqual({ outcome: 'replayed' })
  expect(await lettersOf(item)).toEqual([])
  await quiet()
  expect(await status()).toBe('PENDING')
  expect(await auditOf(letter.id)).toMatchObject([
    { command: 'dead-letter.replay', operator: 'operator', reason: 'the constraint is gone' },
  ])
})

test('replayed while SQL still refuses it, it is set aside again', async () => {
  const { item, letter, status } = await poisoned()
  await refusing(item, async () => {
    expect((await replay(letter.id, 'too early')).status).toBe(200)
    await quiet()
  })
  const [again] = await lettersOf(item)
  expect(again?.fields).toEqual(letter.fields)
  expect((await replay(again?.id ?? '', 'now')).status).toBe(200)
  await quiet()
  expect(await status()).toBe('PENDING')
})

test('replayed twice, and by five at once, there is one order of one unit and nothing is left behind', async () => {
  const { item, order_id, letter, status } = await poisoned()
  const answers = await Promise.all([1, 2, 3, 4, 5].map((n) => replay(letter.id, `operator ${n}`)))
  expect(answers.map((answer) => answer.status)).toContain(200)
  await quiet()
  expect((await replay(letter.id, 'once more')).status).toBe(404)
  await quiet()
  expect(await lettersOf(item)).toEqual([])
  expect(await status()).toBe('PENDING')
  expect((await app.app.orders.forItem(item)).map((order) => order.order_id)).toEqual([order_id])
  expect(await app.app.inventory.stock(item)).toMatchObject({ available: 9, held: 1, sold: 0 })
  // Each who asked is in the log, whatever came of it.
  expect(await auditOf(letter.id)).toHaveLength(6)
})
