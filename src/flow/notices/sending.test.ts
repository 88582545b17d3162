import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startTelling, type Telling, watchedMail } from '../../../test/support/notices.ts'
import { connectionLost, watchShards } from '../../../test/support/sql.ts'
import type { Sql } from '../../platform/postgres.ts'
import { createSpeakers, readWords } from '../../platform/words.ts'
import { planNotices, takeDue } from './sql.ts'
import { eventually } from '../../../test/support/stripe.ts'

let telling: Telling
beforeAll(async () => {
  telling = await startTelling()
}, 30_000)
afterAll(() => telling[Symbol.asyncDispose]())

const app = () => telling.flow.app
const round = () => app().notices.round()
const mails = (to: string) => telling.mailbox.mails(to)
const fail = (order: { user_id: string; order_id: string }, reason: Parameters<Orders['fail']>[2]) =>
  app().orders.fail(order.user_id, order.order_id, reason)
type Orders = ReturnType<typeof app>['orders']

describe('a mail for each end of an order', () => {
  test('paid: the receipt with order, item, amount, provider and time, once', async () => {
    const order = await telling.ordered(await telling.flow.newItem(2))
    await round()
    expect(await mails(order.email)).toEqual([])
    await telling.pay(order)
    await round()
    const [mail, ...more] = await mails(order.email)
    expect(more).toEqual([])
    expect(mail).toMatchObject({
      subject: `Your receipt: ${order.item_id}`,
      message_id: `<paid.${order.order_id}@shop.localhost>`,
    })
    const year = new Date().getUTCFullYear()
    for (const part of [mail?.text, mail?.html]) {
      for (const said of [order.order_id, order.item_id, '€19.99', 'Card (Stripe)', `${year}`, 'UTC'])
        expect(part).toContain(said)
      expect(part).toContain(`/checkout/sale-${order.item_id}?order=${order.order_id}`)
    }
    await telling.rest()
    await round()
    expect(await mails(order.email)).toHaveLength(1)
    expect(await telling.stateOf(order)).toEqual([{ kind: 'paid', state: 'sent', attempts: 1, code: null }])
  })

  test.each([
    ['declined', 'Not bought', 'The payment was declined'],
    ['payment_timeout', 'Not bought', 'No payment arrived in time'],
    ['hold_expired', 'Not bought', 'No payment arrived in time'],
    ['cancelled_by_user', 'Cancelled', 'As you asked'],
  ] as const)('%s: why, and that no money was kept', async (reason, subject, why) => {
    const order = await telling.ordered(await telling.flow.newItem(2))
    await fail(order, reason)
    await round()
    const found = await mails(order.email)
    expect(found).toHaveLength(1)
    expect(found[0]?.subject).toBe(`${subject}: ${order.item_id}`)
    for (const part of [found[0]?.text, found[0]?.html]) {
      expect(part).toContain(why)
      expect(part).toContain('No money was kept.')
      expect(part).not.toMatch(/\{\w+\}/)
    }
  })

  test('under the name of the shop, and in its words', async () => {
    const words = readWords()
    const mail = { ...words.en['mail'], 'story.paid': 'Thank you. Mind the step.' }
    const speakers = createSpeakers({ ...words, en: { ...words.en, mail } })
    const order = await telling.ordered(await telling.flow.newItem(2))
    await telling.pay(order)
    await telling.notices({ theme: { name: 'Lumen & Sons', speakers } }).round()
    const [got] = await mails(order.email)
    expect(got?.html).toContain('>Lumen &amp; Sons</td>')
    expect(got?.html).not.toContain('>Doorbuster<')
    expect(got?.text).toContain('Mind the step.')
  })

  test('in the language its address was given in, from right to left where that is read so', async () => {
    const item = await telling.flow.newItem(2)
    const [german, arabic] = [
      await telling.ordered(item, 'wer@example.com', 'de'),
      await telling.ordered(item, 'man@example.com', 'ar'),
    ]
    await fail(german, 'declined')
    await telling.pay(arabic)
    await round()
    const [failed] = await mails(german.email)
    expect(failed?.subject).toBe(`Nicht gekauft: ${item}`)
    expect(failed?.text).toContain('Die Zahlung wurde abgelehnt')
    expect(failed?.html).toContain('<html lang="de" dir="ltr">')
    const [paid] = await mails(arabic.email)
    expect(paid?.subject).toBe(`إيصالك: ${item}`)
    expect(paid?.html).toContain('<html lang="ar" dir="rtl">')
  })

  test('failed although money arrived late: it goes back, and the mail says so', async () => {
    const order = await telling.ordered(await telling.flow.newItem(2))
    await fail(order, 'payment_timeout')
    await app()
      .shards.of(order.user_id)
      .query(
        `insert into payments (user_id, order_id, provider, provider_ref, amount, currency, state)
         values ($1, $2, 'stripe', 'pi_late', 1999, 'EUR', 'refund_due')`,
        [order.user_id, order.order_id],
      )
    await round()
    const [mail] = await mails(order.email)
    expect(mail?.text).toContain(
      'A payment of €19.99 had reached us all the same. It goes back to you in full.',
    )
    expect(mail?.text).not.toContain('No money was kept')
  })

  test('paid and oversold later: a receipt, then an apology with the refund', async () => {
    const order = await telling.ordered(await telling.flow.newItem(2))
    await telling.pay(order)
    await round()
    expect(await fail(order, 'oversold')).toBe(true)
    await round()
    await round()
    const found = await mails(order.email)
    expect(found.map(({ subject }) => subject)).toEqual([
      `Your receipt: ${order.item_id}`,
      `We are sorry: your order of ${order.item_id} is cancelled`,
    ])
    expect(found[1]?.text).toContain('The €19.99 you paid go back to you in full')
  })

  test('oversold with a gift card: its value, its code in groups, its end; and what cards paid of a receipt', async () => {
    const item = await telling.flow.newItem(4)
    const order = await telling.ordered(item)
    await fail(order, 'cancelled_by_user')
    await app()
      .shards.of(order.user_id)
      .query(
        `insert into gift_cards (user_id, order_id, code, amount, currency, expires_at)
         values ($1, $2, '0123456789ABCDEF', 500, 'EUR', '2031-05-06T07:08:00Z')`,
        [order.user_id, order.order_id],
      )
    await app()
      .shards.of(order.user_id)
      .query(`update orders set failure_reason = 'oversold' where id = $1`, [order.order_id])
    await round()
    const [mail] = await mails(order.email)
    for (const part of [mail?.text, mail?.html]) {
      for (const said of ['0123-4567-89AB-CDEF', '€5.00', '6 May 2031 at 07:08 UTC', 'No money was kept'])
        expect(part).toContain(said)
    }

    const mixed = await telling.flow.pending(item, { user_id: order.user_id })
    await app().notices.give(mixed.user_id, mixed.order_id, {
      email: 'mixed@example.com',
      language: 'en',
    })
    await app()
      .shards.of(order.user_id)
      .query(`insert into gift_card_uses (user_id, order_id, card_id, amount) values ($1, $2, $3, 499)`, [
        mixed.user_id,
        mixed.order_id,
        order.order_id,
      ])
    await app()
      .shards.of(mixed.user_id)
      .transaction((sql) => app().orders.pay(sql, mixed.user_id, mixed.order_id))
    await round()
    expect((await mails('mixed@example.com'))[0]?.text).toContain('Paid with: Gift card (€4.99)')
  })

  test('paid with money that the provider then gave up: asked to pay again, once, and no receipt until it is', async () => {
    const order = await telling.ordered(await telling.flow.newItem(2))
    const ref = await telling.pay(order)
    const shard = app().shards.of(order.user_id)
    await shard.query(`update payments set state = 'lost' where provider_ref = $1`, [ref])
    expect(await app().notices.receipt(order.user_id, order.order_id)).toBe('unpaid')
    const subjects = async () => (await mails(order.email)).map(({ subject }) => subject)
    await round()
    expect(await subjects()).toEqual([`Please pay once more: ${order.item_id}`])
    expect((await mails(order.email))[0]?.text).toContain('your payment of €19.99 was withdrawn')
    expect(await telling.stateOf(order)).toMatchObject([
      { kind: 'paid', state: 'due', code: 'payment lost' },
      { kind: 'pay_again', state: 'sent' },
    ])
    await telling.rest()
    await round()
    expect(await subjects()).toHaveLength(1)
    await shard.query(
      `insert into payments (user_id, order_id, provider, provider_ref, amount, currency, state)
       values ($1, $2, 'paypal', 'again', 1999, 'EUR', 'captured')`,
      [order.user_id, order.order_id],
    )
    await telling.rest()
    await round()
    expect((await mails(order.email)).filter(({ text }) => text.includes('PayPal'))).toHaveLength(1)
    expect(await subjects()).toContain(`Your receipt: ${order.item_id}`)
  })

  test('paid again before the mail went out: nobody is asked for what is there', async () => {
    const order = await telling.ordered(await telling.flow.newItem(2))
    const ref = await telling.pay(order)
    const shard = app().shards.of(order.user_id)
    await shard.query(`update payments set state = 'lost' where provider_ref = $1`, [ref])
    const away = watchedMail(telling.mail, () => Promise.resolve({ kind: 'unavailable', code: 'away' }))
    await telling.notices({ mail: away }).round()
    await shard.query(`update payments set state = 'captured' where provider_ref = $1`, [ref])
    await telling.rest()
    await round()
    expect((await mails(order.email)).map(({ subject }) => subject)).toEqual([
      `Your receipt: ${order.item_id}`,
    ])
  })

  test('oversold before the receipt went out: nobody is told that it is theirs', async () => {
    const order = await telling.ordered(await telling.flow.newItem(2))
    await telling.pay(order)
    const away = watchedMail(telling.mail, () => Promise.resolve({ kind: 'unavailable', code: 'away' }))
    await telling.notices({ mail: away }).round()
    await fail(order, 'oversold')
    await telling.rest()
    await round()
    expect((await mails(order.email)).map(({ subject }) => subject)).toEqual([
      `We are sorry: your order of ${order.item_id} is cancelled`,
    ])
    expect(await telling.stateOf(order)).toMatchObject([
      { kind: 'paid', state: 'obsolete', code: 'overtaken' },
      { kind: 'oversold', state: 'sent' },
    ])
  })
})

describe('exactly once in intent', () => {
  test('four workers at once send one mail each', async () => {
    const item = await telling.flow.newItem(20)
    const orders = await Promise.all(Array.from({ length: 12 }, () => telling.ordered(item)))
    for (const order of orders) await fail(order, 'declined')
    await Promise.all(Array.from({ length: 4 }, () => telling.notices().round()))
    await round()
    for (const { email } of orders) expect(await mails(email)).toHaveLength(1)
  })

  test('a worker that dies between sending and marking: sent again when its lease is over, as the same mail', async () => {
    const order = await telling.ordered(await telling.flow.newItem(2))
    await fail(order, 'declined')
    const shards = watchShards(app().shards, ({ text }) => {
      if (text.includes("state = 'sent', sent_at")) throw connectionLost()
    })
    await telling.notices({ shards }).round()
    expect(await mails(order.email)).toHaveLength(1)
    await round()
    expect(await mails(order.email)).toHaveLength(1) // the lease
    await telling.rest()
    await round()
    await telling.rest()
    await round()
    const found = await mails(order.email)
    expect(found).toHaveLength(2)
    expect(new Set(found.map(({ message_id }) => message_id)).size).toBe(1)
    expect(await telling.stateOf(order)).toMatchObject([{ state: 'sent', attempts: 2 }])
  })

  test('a worker that dies before sending: nothing is lost', async () => {
    const order = await telling.ordered(await telling.flow.newItem(2))
    await fail(order, 'declined')
    const hanging = Promise.withResolvers<never>()
    const mail = watchedMail(telling.mail, () => hanging.promise)
    void telling.notices({ mail }).round()
    await eventually(() => mail.tried.includes(order.email))
    await round()
    expect(await mails(order.email)).toEqual([])
    await telling.rest()
    await round()
    expect(await mails(order.email)).toHaveLength(1)
  })

  test('what one worker is about to take, another passes over without waiting', async () => {
    const orders = [await telling.ordered(await telling.flow.newItem(2))]
    for (const order of orders) await fail(order, 'declined')
    const shard = app().shards.of(orders[0]?.user_id ?? '')
    await planNotices(shard, { freshS: 60, max: 10 })
    const take = (sql: Sql) => takeDue(sql, { leaseS: 60, max: 10 })
    await shard.transaction(async (sql) => {
      expect(await take(sql)).toHaveLength(1)
      const other = take(shard)
      expect(await Promise.race([other, app().clock.sleep(2000)])).toEqual([])
    })
    await telling.rest()
    await round()
  })

  test('one that lost its lease does not put back what is another’s by now', async () => {
    const order = await telling.ordered(await telling.flow.newItem(2))
    await fail(order, 'declined')
    const answer = Promise.withResolvers<{ kind: 'refused'; code: string }>()
    const slow = watchedMail(telling.mail, () => answer.promise)
    const late = telling.notices({ mail: slow }).round()
    await eventually(() => slow.tried.includes(order.email))
    await telling.rest()
    const busy = watchedMail(telling.mail, () => Promise.resolve({ kind: 'deferred', code: '451 DATA' }))
    await telling.notices({ mail: busy }).round()
    answer.resolve({ kind: 'refused', code: '550 RCPT TO' })
    await late
    expect(await telling.stateOf(order)).toMatchObject([{ state: 'due', attempts: 2, code: '451 DATA' }])
    await telling.rest()
    await round()
    expect(await mails(order.email)).toHaveLength(1)
  })
})

describe('a mail server in trouble', () => {
  test('is away: each waits longer than before, and all go out when it is back', async () => {
    const item = await telling.flow.newItem(10)
    const orders = await Promise.all(Array.from({ length: 3 }, () => telling.ordered(item)))
    for (const order of orders) await fail(order, 'declined')
    await telling.mailbox.down()
    const waits: number[] = []
    const [first] = orders
    if (first === undefined) throw new Error('no order')
    for (let tries = 1; tries <= 3; tries += 1) {
      const { sent, trouble } = await telling.notices({ policy: { leaseS: 900 } }).round()
      expect({ sent, trouble }).toEqual({ sent: 0, trouble: true })
      const found = await app()
        .shards.of(first.user_id)
        .query<{ wait: number }>(
          `select max(extract(epoch from next_at - now()))::float8 as wait from notices
           where state = 'due' and attempts = $1`,
          [tries],
        )
      waits.push(found.rows[0]?.wait ?? 0)
      await telling.rest()
    }
    // 5 s doubling, times 0.75 as chance would have it here.
    expect(waits.map((wait) => Math.round(wait / 3.75))).toEqual([1, 2, 4])
    await telling.mailbox.up()
    await telling.rest()
    await round()
    for (const { email } of orders) expect(await mails(email)).toHaveLength(1)
  })

  test('finds out with a few mails that it is away, not with all', async () => {
    const item = await telling.flow.newItem(40)
    const orders = await Promise.all(Array.from({ length: 30 }, () => telling.ordered(item)))
    for (const order of orders) await fail(order, 'declined')
    const away = watchedMail(telling.mail, () => Promise.resolve({ kind: 'unavailable', code: 'away' }))
    await telling.notices({ mail: away }).round()
    expect(away.tried.length).toBeGreaterThan(0)
    expect(away.tried.length).toBeLessThanOrEqual(4 * app().shards.all.length)
    await telling.rest()
    await round()
  })

  test('refuses one: that one is dead at once, seen by the operator without its address, and tried again on demand', async () => {
    const item = await telling.flow.newItem(4)
    const [bad, good] = [await telling.ordered(item), await telling.ordered(item)]
    for (const order of [bad, good]) await fail(order, 'declined')
    const mail = watchedMail(telling.mail, (to) =>
      to === bad.email ? Promise.resolve({ kind: 'refused', code: '550 RCPT TO' }) : undefined,
    )
    await telling.notices({ mail }).round()
    expect(await mails(good.email)).toHaveLength(1)
    const { notices } = app()
    const listed = (await notices.undelivered(100)).filter(({ order_id }) => order_id === bad.order_id)
    expect(listed).toMatchObject([{ kind: 'failed', attempts: 1, code: '550 RCPT TO' }])
    expect(JSON.stringify(listed)).not.toContain('@')
    expect((await notices.backlog()).dead).toBe(1)
    await telling.rest()
    await round()
    expect(await mails(bad.email)).toEqual([])
    expect(await notices.retry()).toBe(1)
    await round()
    expect(await mails(bad.email)).toHaveLength(1)
    expect(await notices.backlog()).toEqual({ due: 0, dead: 0 })
  })

  test('puts one off: the others go out in the same round', async () => {
    const item = await telling.flow.newItem(20)
    const orders = await Promise.all(Array.from({ length: 12 }, () => telling.ordered(item)))
    for (const order of orders) await fail(order, 'declined')
    const [late, ...rest] = orders
    const mail = watchedMail(telling.mail, (to) =>
      to === late?.email ? Promise.resolve({ kind: 'deferred', code: '451 DATA' }) : undefined,
    )
    await telling.notices({ mail }).round()
    for (const { email } of rest) expect(await mails(email)).toHaveLength(1)
    expect(await mails(late?.email ?? '')).toEqual([])
    await telling.rest()
    await round()
    expect(await mails(late?.email ?? '')).toHaveLength(1)
  })

  test('never takes one: it is given up after so many attempts', async () => {
    const order = await telling.ordered(await telling.flow.newItem(2))
    await fail(order, 'declined')
    const mail = watchedMail(telling.mail, () => Promise.resolve({ kind: 'deferred', code: '451 DATA' }))
    const worker = telling.notices({ mail, policy: { maxAttempts: 3 } })
    for (let tries = 0; tries < 6; tries += 1) {
      await worker.round()
      await telling.rest()
    }
    expect(mail.tried).toEqual([order.email, order.email, order.email])
    expect(await telling.stateOf(order)).toMatchObject([{ state: 'dead', attempts: 3, code: '451 DATA' }])
  })

  test('hangs: the worker still ends soon when it is told to', async () => {
    const order = await telling.ordered(await telling.flow.newItem(2))
    await fail(order, 'declined')
    const hanging = Promise.withResolvers<never>()
    const mail = watchedMail(telling.mail, () => hanging.promise)
    const stop = new AbortController()
    const running = telling.notices({ mail }).run(stop.signal)
    await eventually(() => mail.tried.includes(order.email))
    stop.abort()
    await running
    await telling.rest()
    await round()
    expect(await mails(order.email)).toHaveLength(1)
  })
})

test('a shard that is away keeps nothing from the buyers of the other', async () => {
  const item = await telling.flow.newItem(4)
  const [here, there] = await Promise.all(
    [0, 1].map(async (shard) => {
      const claimed = await telling.flow.pending(item, { user_id: telling.flow.buyerOn(shard) })
      const email = `on-${shard}@example.com`
      await app().notices.give(claimed.user_id, claimed.order_id, { email, language: 'en' })
      await fail(claimed, 'declined')
      return email
    }),
  )
  const shards = watchShards(app().shards, ({ shard }) => {
    if (shard === 0) throw connectionLost()
  })
  expect(await telling.notices({ shards }).round()).toEqual({ sent: 1, trouble: true })
  expect(await mails(here ?? '')).toEqual([])
  expect(await mails(there ?? '')).toHaveLength(1)
  await round()
  expect(await mails(here ?? '')).toHaveLength(1)
})

test('the worker goes on by itself', async () => {
  const order = await telling.ordered(await telling.flow.newItem(2))
  const stop = new AbortController()
  const running = telling.notices({ policy: { everyS: 0.02 } }).run(stop.signal)
  await fail(order, 'declined')
  await eventually(async () => (await mails(order.email)).length === 1)
  stop.abort()
  await running
})
