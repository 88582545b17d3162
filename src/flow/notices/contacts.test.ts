import { afterAll, beforeAll, expect, test } from 'bun:test'
import { startTelling, type Telling, watchedMail } from '../../../test/support/notices.ts'
import type { Mail } from '../../platform/mail.ts'
import { planNotices, takeDue } from './sql.ts'

// Addresses: given, changed, withdrawn, forgotten; and that nothing is done for orders without one.
let telling: Telling
beforeAll(async () => {
  telling = await startTelling()
}, 30_000)
afterAll(() => telling[Symbol.asyncDispose]())

const app = () => telling.flow.app
const round = () => app().notices.round()
const mails = (to: string) => telling.mailbox.mails(to)
const ended = async (email?: string) => {
  const order = await telling.ordered(await telling.flow.newItem(2), email)
  await app().orders.fail(order.user_id, order.order_id, 'declined')
  return order
}
const give = (order: { user_id: string; order_id: string }, email: string | null) =>
  app().notices.give(order.user_id, order.order_id, email === null ? null : { email, language: 'en' })
const contact = (order: { user_id: string; order_id: string }) =>
  app().notices.contact(order.user_id, order.order_id)
const refused = (mail: string) =>
  watchedMail(telling.mail, (to) =>
    to === mail ? Promise.resolve({ kind: 'refused', code: '550 RCPT TO' }) : undefined,
  )

test('no address: no notice, no mail, and nothing the next scan would look at', async () => {
  const before = (await telling.mailbox.raws()).length
  const claimed = await telling.flow.pending(await telling.flow.newItem(2))
  await app().orders.fail(claimed.user_id, claimed.order_id, 'declined')
  await round()
  expect(await telling.stateOf(claimed)).toEqual([])
  expect(await telling.mailbox.raws()).toHaveLength(before)
})

test('the scan reads addresses that wait, however many orders and notices there are', async () => {
  const [shard] = app().shards.all
  await shard?.transaction(async (sql) => {
    await sql.query(
      `insert into orders (user_id, id, sale_id, item_id, quantity, amount, currency, status, failure_reason,
         claim_seq, claimed_at, pay_by, hold_expires_at, failed_at)
       select 'old-' || n, gen_random_uuid(), 's', 'i', 1, 1, 'EUR', 'FAILED', 'declined', n, now(), now(), now(),
         now() - interval '20 days'
       from generate_series(1, 60000) n
       where logical_shard('old-' || n) in (select logical from held_shards) limit 20000`,
    )
    await sql.query(
      `insert into contacts (user_id, order_id, email, waiting)
       select user_id, id, 'a@example.com', false from orders where user_id like 'old-%'`,
    )
    await sql.query(
      `insert into notices (user_id, order_id, kind, state, sent_at)
       select user_id, id, 'failed', 'sent', now() from orders where user_id like 'old-%'`,
    )
    await sql.query('analyze orders')
    await sql.query('analyze contacts')
    await sql.query('analyze notices')
  })
  await shard?.transaction(async (sql) => {
    await planNotices(sql, { freshS: 7 * 86_400, max: 500 })
    await takeDue(sql, { leaseS: 1, max: 4 })
    const found = await sql.query<{ n: number }>(
      `select coalesce(sum(seq_tup_read), 0)::bigint as n from pg_stat_xact_user_tables
       where relname in ('orders', 'contacts', 'notices')`,
    )
    expect(found.rows[0]?.n).toBe(0)
  })
  await shard?.query(`delete from notices where user_id like 'old-%'`)
  await shard?.query(`delete from contacts where user_id like 'old-%'`)
  await shard?.query(`delete from orders where user_id like 'old-%'`)
})

test('an address given after the end is told all the same', async () => {
  const claimed = await telling.flow.pending(await telling.flow.newItem(2))
  await app().orders.fail(claimed.user_id, claimed.order_id, 'cancelled_by_user')
  await round()
  await give(claimed, 'after@example.com')
  await round()
  expect(await mails('after@example.com')).toHaveLength(1)
})

test('an address given before the row is written is told when it ends', async () => {
  const item = await telling.flow.newItem(2)
  const claimed = await telling.flow.claim(item)
  await give(claimed, 'early@example.com')
  await round()
  await telling.flow.expire(claimed)
  await app().restock.sweep()
  await round()
  expect(await mails('early@example.com')).toHaveLength(1)
})

test('the last address before the mail counts; after it the address is settled, and may be withdrawn', async () => {
  const order = await ended('typo@example.com')
  expect(await give(order, 'right@example.com')).toBe('kept')
  await round()
  expect(await mails('typo@example.com')).toEqual([])
  expect(await mails('right@example.com')).toHaveLength(1)
  expect(await give(order, 'third@example.com')).toBe('settled')
  expect(await give(order, 'right@example.com')).toBe('kept')
  expect(await contact(order)).toBe('right@example.com')
  expect(await give(order, null)).toBe('kept')
  expect(await contact(order)).toBeUndefined()
  await telling.rest()
  await round()
  expect(await mails('third@example.com')).toEqual([])
  expect(await mails('right@example.com')).toHaveLength(1)
})

test('an address given while the mail to another is under way is told too; after that nobody', async () => {
  const order = await ended('under-way@example.com')
  const [underWay, go] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
  const slow = watchedMail(telling.mail, () => undefined)
  const send = async (one: Mail) => {
    underWay.resolve(undefined)
    await go.promise
    return slow.send(one)
  }
  const sending = telling.notices({ mail: { ...slow, send } }).round()
  await underWay.promise
  expect(await give(order, 'better@example.com')).toBe('kept')
  go.resolve(undefined)
  await sending
  for (let rounds = 0; rounds < 3; rounds += 1) {
    await telling.rest()
    await round()
  }
  expect(await mails('under-way@example.com')).toHaveLength(1)
  expect(await mails('better@example.com')).toHaveLength(1)
  expect(await telling.stateOf(order)).toMatchObject([{ state: 'sent', attempts: 2 }])
})

test('an address given twice before the mail went out, and looked at in between: one mail', async () => {
  const order = await ended('same@example.com')
  const away = watchedMail(telling.mail, () => Promise.resolve({ kind: 'unavailable', code: 'away' }))
  await telling.notices({ mail: away }).round()
  await give(order, 'same@example.com')
  await telling.notices({ mail: away, policy: { firstRetryS: 900 } }).round()
  await telling.rest()
  for (let rounds = 0; rounds < 3; rounds += 1) {
    await round()
    await telling.onEach(`update contacts set waiting = true where email = 'same@example.com'`)
  }
  expect(await mails('same@example.com')).toHaveLength(1)
})

test('withdrawn before the mail goes out: none goes; given again: one goes', async () => {
  const order = await ended('changed-mind@example.com')
  const away = watchedMail(telling.mail, () => Promise.resolve({ kind: 'unavailable', code: 'away' }))
  await telling.notices({ mail: away }).round()
  await give(order, null)
  await telling.rest()
  await round()
  expect(await telling.stateOf(order)).toMatchObject([{ state: 'obsolete', code: 'no address' }])
  await give(order, 'changed-mind@example.com')
  await round()
  expect(await mails('changed-mind@example.com')).toHaveLength(1)
})

test('a refused address can be put right, but not tried out without end', async () => {
  const order = await ended('wrong-0@example.com')
  let tried = 0
  for (let n = 0; n < 12; n += 1) {
    const mail = refused(`wrong-${n}@example.com`)
    await give(order, `wrong-${n}@example.com`)
    await telling.notices({ mail }).round()
    tried += mail.tried.length
  }
  expect(tried).toBe(5)
  const other = await ended('wrong@example.com')
  await telling.notices({ mail: refused('wrong@example.com') }).round()
  await give(other, 'put-right@example.com')
  await round()
  expect(await mails('put-right@example.com')).toHaveLength(1)
})

test('what a provider knows never replaces what the buyer typed', async () => {
  const order = await telling.ordered(await telling.flow.newItem(2), 'typed@example.com')
  await app().notices.suggest(order.user_id, order.order_id, {
    email: 'provider@example.com',
    language: 'en',
  })
  expect(await contact(order)).toBe('typed@example.com')
})

test('retention: an old address is deleted, in any number, and what was still due is told no more', async () => {
  const [old, young] = [await ended('old@example.com'), await ended('young@example.com')]
  const away = watchedMail(telling.mail, () => Promise.resolve({ kind: 'unavailable', code: 'away' }))
  await telling.notices({ mail: away }).round()
  const [shard] = app().shards.all
  await shard?.query(
    `insert into contacts (user_id, order_id, email, given_at, waiting)
     select 'gone-' || n, gen_random_uuid(), 'gone@example.com', now() - interval '31 days', false
     from generate_series(1, 10000) n
     where logical_shard('gone-' || n) in (select logical from held_shards) limit 2500`,
  )
  await telling.onEach(
    `update contacts set given_at = now() - interval '30 days 1 minute' where email = 'old@example.com'`,
  )
  expect(await app().notices.forget()).toBe(2501)
  expect(await contact(old)).toBeUndefined()
  expect(await contact(young)).toBe('young@example.com')
  await telling.rest()
  await round()
  expect(await mails('old@example.com')).toEqual([])
  expect(await mails('young@example.com')).toHaveLength(1)
})

test('what ended a week ago is told no more', async () => {
  const order = await ended('late@example.com')
  await telling.onEach(
    `update contacts set given_at = now() - interval '8 days' where email = 'late@example.com'`,
  )
  await telling.onEach(
    `update orders set failed_at = now() - interval '8 days' where id = '${order.order_id}'`,
  )
  await round()
  expect(await telling.stateOf(order)).toEqual([])
  expect(await mails('late@example.com')).toEqual([])
})

test('without a mail server nothing is sent and nothing is lost', async () => {
  const order = await ended('patient@example.com')
  const without = telling.notices({ mail: undefined })
  expect(without.mails).toBe(false)
  expect(await without.round()).toEqual({ sent: 0, trouble: false })
  await round()
  expect(await mails('patient@example.com')).toHaveLength(1)
  expect(await telling.stateOf(order)).toMatchObject([{ state: 'sent' }])
})
