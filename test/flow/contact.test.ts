import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { SignJWT } from 'jose'
import { createHosts } from '../../src/hosts.ts'
import { FROM, startTestMailbox, type TestMailbox } from '../support/mail.ts'
import { problemOf, startApp, type TestApp, URLS } from '../support/app.ts'
import { createBuyer, createSale } from '../support/buyer.ts'
import { startStripeSandbox, type TestSandbox } from '../support/stripe.ts'

// The address for mails about an order, and its receipt, over HTTP and on the pages without scripts.
let mailbox: TestMailbox
let app: TestApp
let silent: TestApp
let stripe: TestSandbox
beforeAll(async () => {
  mailbox = await startTestMailbox()
  stripe = await startStripeSandbox()
  app = await startApp({ SMTP_URL: mailbox.url, MAIL_FROM: FROM, STRIPE_API_URL: stripe.url })
  silent = await startApp()
}, 30_000)
afterAll(async () => {
  await app.close()
  await silent.close()
  await stripe[Symbol.asyncDispose]()
  await mailbox[Symbol.asyncDispose]()
})

/** A buyer with a claimed order, whose product has this name. */
async function ordered(name = 'TV', at = app) {
  const { sale, item } = await createSale(at, { product: { name } })
  const buyer = createBuyer(at)
  const { order_id: id } = (await buyer.claim(await buyer.pass(sale), item)).body
  const user = await buyer.userId()
  const call = (method: string, what: string, json?: unknown) =>
    buyer.shop(method, `/api/orders/${id}/${what}`, json === undefined ? {} : { json })
  return { sale, item, buyer, id, user, call }
}
const written = async ({ user, id }: { user: string; id: string }) => {
  while ((await app.app.orders.find(user, id)) === undefined) await app.clock.sleep(5)
}
const pay = ({ user, id }: { user: string; id: string }) =>
  app.app.shards.of(user).transaction((sql) => app.app.orders.pay(sql, user, id))

describe('the address', () => {
  test('is kept, changed and forgotten, from before the order is written', async () => {
    const { call } = await ordered()
    expect(await call('GET', 'contact')).toMatchObject({ status: 200, body: { email: null, mails: true } })
    for (const email of ['a@example.com', "o'neil+tag@mail.example.co.uk", null]) {
      expect(await call('PUT', 'contact', { email })).toMatchObject({ status: 200, body: { email } })
      const read = await call('GET', 'contact')
      expect(read.body).toEqual({ email, mails: true })
      expect(read.headers.get('cache-control')).toBe('no-store')
    }
  })

  test('that is none, or more than one, or hides a header, is refused and changes nothing', async () => {
    const { call } = await ordered()
    await call('PUT', 'contact', { email: 'a@example.com' })
    const hostile = [
      ...['', 'a', 'a@', '@b.example', 'a@b', 'a b@example.com', 'a@example.com, b@example.com'],
      ...[
        'a@example.com\r\nBcc: b@example.com',
        'a@example.com\n',
        '\u0000a@example.com',
        'A <a@example.com>',
      ],
      ...['"a\\r\\nBcc: b"@example.com', '<script>@example.com', 'a@exa\tmple.com', 'ä@example.com'],
      `${'x'.repeat(250)}@example.com`,
    ]
    for (const email of [...hostile, 7, true, ['a@example.com'], { to: 'a@example.com' }, undefined]) {
      const answer = await call('PUT', 'contact', email === undefined ? {} : { email })
      expect({ email, code: problemOf(answer) }).toEqual({ email, code: 'bad_request' })
    }
    expect(problemOf(await call('PUT', 'contact', { email: null, also: 1 }))).toBe('bad_request')
    expect((await call('GET', 'contact')).body).toMatchObject({ email: 'a@example.com' })
  })

  test("belongs to the order's buyer alone, and to a page of ours", async () => {
    const { id, call } = await ordered()
    await call('PUT', 'contact', { email: 'mine@example.com' })
    const other = createBuyer(app)
    const path = `/api/orders/${id}/contact`
    expect(problemOf(await other.shop('GET', path))).toBe('session_missing')
    await other.userId()
    expect(problemOf(await other.shop('GET', path))).toBe('unknown_order')
    const put = (headers = {}) => other.shop('PUT', path, { json: { email: 'x@example.com' }, headers })
    expect(problemOf(await put())).toBe('unknown_order')
    expect(problemOf(await put({ origin: 'https://evil.example' }))).toBe('origin_refused')
    expect((await call('GET', 'contact')).body).toMatchObject({ email: 'mine@example.com' })
  })

  test('is not asked for where no mail could go out', async () => {
    const order = await ordered('TV', silent)
    expect((await order.call('GET', 'contact')).body).toEqual({ email: null, mails: false })
    expect(problemOf(await order.call('PUT', 'contact', { email: 'a@example.com' }))).toBe('no_mails')
    expect((await order.call('PUT', 'contact', { email: null })).status).toBe(200)
    expect(await silent.app.notices.contact(order.user, order.id)).toBeUndefined()
  })
})

test('the receipt: only of a paid order, with what became of its mail', async () => {
  await app.withWorker(async () => {
    const order = await ordered('Lampe „Ü“')
    const { call } = order
    expect(problemOf(await call('GET', 'receipt'))).toMatch(/^(unknown_order|order_not_paid)$/)
    await written(order)
    expect(problemOf(await call('GET', 'receipt'))).toBe('order_not_paid')
    await call('PUT', 'contact', { email: 'r@example.com' })
    await pay(order)
    const { body } = await call('GET', 'receipt')
    expect(body).toMatchObject({
      ...{ order_id: order.id, item_name: 'Lampe „Ü“', quantity: 1, amount: 19_900, currency: 'EUR' },
      ...{ provider: null, email: 'r@example.com', mail: 'on_its_way' },
    })
    expect(Math.abs(Number(body['paid_at']) - Date.now())).toBeLessThan(60_000)
    await app.app.notices.round()
    expect((await call('GET', 'receipt')).body).toMatchObject({ mail: 'sent' })
    expect(problemOf(await call('PUT', 'contact', { email: 'other@example.com' }))).toBe('contact_settled')
    expect((await mailbox.mails('r@example.com'))[0]?.subject).toBe('Your receipt: Lampe „Ü“')
  })
})

test('a hostile product name is a name: in the subject, in the text, in the HTML, in the receipt', async () => {
  await app.withWorker(async () => {
    const name = '<img src=x onerror=alert(1)>"\' {amount} \u2028 .'
    const order = await ordered(name)
    await order.call('PUT', 'contact', { email: 'hostile@example.com' })
    await written(order)
    await app.app.shards.catalogue.query('update products set name = $2 where id = $1', [
      order.item,
      `${name}\r\nBcc: thief@example.com\r\n.\r\n`,
    ])
    app.clock.aheadMs += 60_000
    while (!(await app.app.catalogue.product(order.item))?.name.includes('Bcc')) await app.clock.sleep(20)
    await pay(order)
    await app.app.notices.round()
    const raw = (await mailbox.raws()).at(-1)?.toString('latin1') ?? ''
    expect(raw).not.toMatch(/^bcc:/im)
    const [mail] = await mailbox.mails('hostile@example.com')
    const plain = `<img src=x onerror=alert(1)>"' {amount} . Bcc: thief@example.com .`
    expect(mail?.subject).toBe(`Your receipt: ${plain}`)
    expect(mail?.text).toContain(`${plain}\n`)
    expect(mail?.html).not.toContain('<img')
    expect(mail?.html).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;&#39; {amount}')
  })
})

test("with AUTH=jwt the provider's address is taken when a payment is opened, unless the buyer typed another", async () => {
  const jwtKey = 'a shared key of at least 32 characters'
  const auth = { kind: 'jwt', jwksUrl: undefined, issuer: undefined, audience: undefined } as const
  const { app: application, assets, consoleAssets } = app
  const hosts = createHosts(
    { ...application, config: { ...application.config, auth }, secrets: { ...application.secrets, jwtKey } },
    { assets, consoleAssets, stopping: new AbortController().signal },
  )
  await app.withWorker(async () => {
    for (const [claims, typed, expected] of [
      [{ email: 'claim@example.com' }, undefined, 'claim@example.com'],
      [{ email: 'claim@example.com', email_verified: false }, undefined, undefined],
      [{ email: 'claim@example.com' }, 'typed@example.com', 'typed@example.com'],
    ] as const) {
      const { sale, item } = await createSale(app)
      const pass = await createBuyer(app).pass(sale)
      const user = `customer-${sale}`
      const token = await new SignJWT({ sub: user, ...claims })
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime('1 hour')
        .sign(new TextEncoder().encode(jwtKey))
      const ask = async (method: string, path: string, body: object) => {
        const headers = {
          ...{ authorization: `Bearer ${pass}`, 'idempotency-key': `key-of-${user}` },
          ...{ 'content-type': 'application/json', 'x-user-token': token },
        }
        const init = { method, headers, body: JSON.stringify(body) }
        const response = await hosts.fetch(new Request(`${URLS.shop}${path}`, init))
        return { status: response.status, body: (await response.json()) as { order_id: string } }
      }
      const id = (await ask('POST', '/api/claims', { item_id: item, quantity: 1 })).body.order_id
      await written({ user, id })
      if (typed !== undefined) await ask('PUT', `/api/orders/${id}/contact`, { email: typed })
      expect(await application.notices.contact(user, id)).toBe(typed)
      const opened = await ask('POST', `/api/orders/${id}/payment`, { provider: 'stripe' })
      expect(opened.status).toBe(200)
      expect(await application.notices.contact(user, id)).toBe(expected)
    }
  })
})

test('without scripts: the field keeps, refuses and forgets; the paid order is its receipt', async () => {
  await app.withWorker(async () => {
    const order = await ordered('Lamp')
    await written(order)
    const path = `/checkout/${order.sale}/plain/orders/${order.id}`
    const post = (email: string) =>
      order.buyer.shop<string>('POST', path, {
        raw: new URLSearchParams({ action: 'contact', email }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin: URLS.shop },
      })
    const page = async () => (await order.buyer.shop<string>('GET', path)).body
    expect(await page()).toContain('E-mail for the receipt (optional)')
    expect((await post(' plain@example.com ')).status).toBe(303)
    expect(await page()).toContain('value="plain@example.com"')
    const refusal = await post('"><script>@example.com')
    expect(refusal.status).toBe(400)
    expect(refusal.body).toContain('That is no e-mail address')
    expect(refusal.body).not.toContain('<script>')
    expect((await post('')).status).toBe(303)
    expect(await page()).toContain('value=""')
    await post('plain@example.com')
    await pay(order)
    expect(await page()).toContain('It goes to plain@example.com by mail.')
    await app.app.notices.round()
    const paid = await page()
    for (const said of ['Paid at', 'It went to plain@example.com by mail.', order.id, '€199.00'])
      expect(paid).toContain(said)
    expect(paid).not.toContain('name="email"')
  })
})

test('what could not be delivered is shown to the operator without its address, and tried again on demand', async () => {
  await app.withWorker(async () => {
    const order = await ordered()
    await order.call('PUT', 'contact', { email: 'dead@example.com' })
    await written(order)
    await pay(order)
    await app.app.notices.round()
    await app.app.shards
      .of(order.user)
      .query(`update notices set state = 'dead', sent_at = null, code = '550 RCPT TO' where order_id = $1`, [
        order.id,
      ])
    expect((await order.call('GET', 'receipt')).body).toMatchObject({ mail: 'undeliverable' })
    const listed = await app.operate('GET', 'notices')
    expect(listed.body).toMatchObject({
      ...{ due: 0, dead: 1 },
      undelivered: [{ order_id: order.id, kind: 'paid', attempts: 1, code: '550 RCPT TO' }],
    })
    expect(JSON.stringify(listed.body)).not.toContain('@')
    const metrics = await app.send<string>('ops', 'GET', '/metrics')
    expect(metrics.body).toContain('doorbuster_notices{state="dead"} 1')
    expect(problemOf(await app.operate('POST', 'notices/retry', {}))).toBe('bad_request')
    const retried = await app.operate('POST', 'notices/retry', { reason: 'the server is back' })
    expect(retried.body).toEqual({ retried: 1 })
    await app.app.notices.round()
    expect((await order.call('GET', 'receipt')).body).toMatchObject({ mail: 'sent' })
    const audit = await app.operate<{ entries: object[] }>('GET', 'audit')
    expect(audit.body.entries[0]).toMatchObject({ command: 'notices.retry', reason: 'the server is back' })
  })
})
