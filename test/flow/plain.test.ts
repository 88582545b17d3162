import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { PLAIN_QUEUE_PATH, type PlainForm, plainWaitingRoom } from '../../src/flow/waiting-room/plain.ts'
import { createHttpApp } from '../../src/platform/http.ts'
import { createPlainPages, formRoutes } from '../../src/platform/plain-pages.ts'
import { type Answer, type Fields, startApp, type TestApp, URLS } from '../support/app.ts'
import { createSale as createAnySale } from '../support/buyer.ts'

// The way without scripts, request by request: forms, cookies, redirects. test/browser/plain.test.ts walks it.
let app: TestApp
beforeAll(async () => {
  app = await startApp()
}, 60_000)
afterAll(async () => {
  await app.close()
})

/** Nobody here solves anything: these are the pages, not the guard. */
const GUARD = { proof_of_work: { on: false }, limits: { on: false }, captcha: { on: false } }
const createSale = (change: Record<string, unknown> = {}) => createAnySale(app, { guard: GUARD, ...change })

/** A browser without scripts: keeps cookies, sends forms as browsers do. */
function createBrowser() {
  const jars = { shop: new Map<string, string>(), queue: new Map<string, string>() }
  const send = async (
    host: 'shop' | 'queue',
    method: string,
    path: string,
    headers: Fields,
    raw?: string,
  ) => {
    const jar = jars[host]
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await app.send<string>(host, method, path, {
      headers: { ...headers, ...(cookie === '' ? {} : { cookie }) },
      ...(raw === undefined ? {} : { raw }),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/Max-Age=0/i.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
    return answer
  }
  return {
    jars,
    get: (host: 'shop' | 'queue', path: string) => send(host, 'GET', path, {}),
    post: (host: 'shop' | 'queue', path: string, form: Fields, headers: Fields = {}) =>
      send(
        host,
        'POST',
        path,
        { 'content-type': 'application/x-www-form-urlencoded', origin: URLS[host], ...headers },
        new URLSearchParams(form).toString(),
      ),
  }
}
type Page = Answer<string>
const hidden = ({ body }: Page, name: string) =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(body)?.[1] ?? ''
const locationOf = ({ headers }: Page) => new URL(headers.get('location') ?? '', 'http://nowhere')
const titleOf = ({ body }: Page) => /<h1>([^<]*)<\/h1>/.exec(body)?.[1]
const refreshOf = ({ headers }: Page) => Number(/^(\d+); url=/.exec(headers.get('refresh') ?? '')?.[1] ?? NaN)

async function joinPlain(sale: string, form: Fields = {}) {
  const browser = createBrowser()
  const door = await browser.get('queue', `/${sale}/plain`)
  const nonce = hidden(door, 'nonce')
  const answer = await browser.post('queue', `/${sale}/plain`, { nonce, code: '', ...form })
  return { browser, door, nonce, answer }
}

/** The page as it is once it has refreshed itself into what is waited for: the status may be a moment old. */
async function asking(
  browser: ReturnType<typeof createBrowser>,
  sale: string,
  isIt: (page: Page) => boolean,
) {
  for (let asked = 0; asked < 200; asked += 1) {
    const page = await browser.get('queue', `/${sale}/plain`)
    if (isIt(page)) return page
    await app.clock.sleep(20)
  }
  throw new Error('the page did not come to it')
}

/** As far as the items, with the clean address. */
async function comeIn(sale: string) {
  const { browser } = await joinPlain(sale)
  const entered = await asking(browser, sale, ({ status }) => status === 303)
  const { origin, pathname, search } = locationOf(entered)
  expect([origin, pathname]).toEqual([URLS.shop, `/checkout/${sale}/plain`])
  const moved = await browser.get('shop', pathname + search)
  expect([moved.status, moved.headers.get('location')]).toEqual([303, pathname])
  return { browser, path: pathname, items: await browser.get('shop', pathname) }
}

describe('the waiting room', () => {
  test('the page with scripts leads here, whatever the sale', async () => {
    const answer = await app.send('queue', 'GET', '/demo?plain=1')
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/demo/plain'])
    const page = await app.send<string>('queue', 'GET', '/demo')
    expect(page.body).toContain('href="?plain=1"')
  })

  test('a form takes one place, however often it is sent; the cookies are for the server alone', async () => {
    const { sale } = await createSale({ rate_per_second: 0.001 })
    await joinPlain(sale)
    const { browser, door, nonce, answer } = await joinPlain(sale)
    expect(titleOf(door)).toBe('Join the line')
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `/${sale}/plain`])
    for (const cookie of answer.headers.getSetCookie()) {
      expect(cookie).toStartWith('__Host-')
      expect(cookie).toMatch(/HttpOnly/i)
      expect(cookie).toMatch(/Secure/i)
    }
    // As if the answer, and with it the ticket, had never come.
    const lost = createBrowser()
    lost.jars.queue.set('__Host-device', browser.jars.queue.get('__Host-device') ?? '')
    await lost.post('queue', `/${sale}/plain`, { nonce, code: '' })
    await browser.post('queue', `/${sale}/plain`, { nonce, code: '' })
    const { body } = await app.operate<{ waiting: number }>('GET', `sales/${sale}/line`)
    expect(body.waiting).toBeLessThanOrEqual(2)

    const waiting = await browser.get('queue', `/${sale}/plain`)
    expect(titleOf(waiting)).toBe('You are in line')
    expect(waiting.body).toContain('<dd>2</dd>')
    expect(refreshOf(waiting)).toBeGreaterThan(1)
    const still = await browser.get('queue', `/${sale}/plain?still`)
    expect([titleOf(still), refreshOf(still)]).toEqual(['You are in line', NaN])
    expect(still.body).toContain(`<a href="/${sale}/plain">Let it refresh itself</a>`)
    expect(waiting.headers.get('cache-control')).toBe('no-store')
    expect(waiting.headers.get('content-security-policy')).not.toContain('script')
  })

  test('in the language the browser asks for, and from then on in the one that is chosen', async () => {
    const { sale } = await createSale()
    const arabic = await app.send<string>('queue', 'GET', `/${sale}/plain`, {
      headers: { 'accept-language': 'ar-EG,en;q=0.5' },
    })
    expect(arabic.headers.get('content-language')).toBe('ar')
    expect(arabic.body).toContain('<html lang="ar" dir="rtl">')
    expect(titleOf(arabic)).toBe('انضم إلى الطابور')
    const browser = createBrowser()
    expect(titleOf(await browser.get('queue', `/${sale}/plain?lang=de`))).toBe('Anstellen')
    expect(titleOf(await browser.get('queue', `/${sale}/plain`))).toBe('Anstellen')
    const unknown = await browser.get('queue', '/no-such-sale/plain')
    expect([unknown.status, titleOf(unknown)]).toEqual([404, 'Diesen Verkauf gibt es nicht'])
  })

  test('before the lobby, in the lobby, paused, over: each has its page', async () => {
    const soon = Date.now() + 3_600_000
    const scheduled = await createSale({ opens_at: soon + 1000, lobby_opens_at: soon })
    const page = await createBrowser().get('queue', `/${scheduled.sale}/plain`)
    expect(titleOf(page)).toBe('The waiting room is not open yet')
    expect(refreshOf(page)).toBeGreaterThan(20)
    const early = await joinPlain(scheduled.sale, { nonce: 'a-nonce-of-mine' })
    expect(early.browser.jars.queue.size).toBe(0)

    const lobby = await createSale({ opens_at: soon, order: 'draw', message: '<b>Hello</b>' })
    const { browser } = await joinPlain(lobby.sale)
    const draw = await browser.get('queue', `/${lobby.sale}/plain`)
    expect(titleOf(draw)).toBe('You are in the draw')
    expect(draw.body).toContain('&lt;b&gt;Hello&lt;/b&gt;')

    const paused = await createSale()
    const held = await joinPlain(paused.sale)
    await app.operate('POST', `sales/${paused.sale}/pause`, { reason: 'test' })
    expect(titleOf(await held.browser.get('queue', `/${paused.sale}/plain`))).toBe('The sale is paused')
    await app.operate('POST', `sales/${paused.sale}/end`, { reason: 'test' })
    const ended = await held.browser.get('queue', `/${paused.sale}/plain`)
    expect(titleOf(ended)).toBe('The sale has ended')
    // Those who go home are told what happened, by which rule, and their own number.
    for (const said of ['Units sold', 'People whose turn came', 'Your number', 'in order of arrival'])
      expect(ended.body).toContain(said)
    await app.operate('POST', `sales/${paused.sale}/close`, { reason: 'test' })
    app.clock.aheadMs += 1500
    expect(titleOf(await held.browser.get('queue', `/${paused.sale}/plain`))).toBe('This sale is over')
  })

  test('a full house keeps asking within the time that keeps the order', async () => {
    const { sale } = await createSale({ checkout_cap: 1 })
    await comeIn(sale)
    const { browser } = await joinPlain(sale)
    const page = await asking(browser, sale, (shown) => titleOf(shown) === 'It is your turn')
    expect(page.body).toContain('We let you in as soon as there is room.')
    expect(refreshOf(page)).toBeLessThan(3)
  })

  test("a group's code is good or it is not, and neither costs the place one has", async () => {
    const { sale } = await createSale({ rate_per_second: 0.001 })
    await app.operate('POST', `sales/${sale}/groups`, {
      ...{ id: 'fans', name: 'Fans', code: 'open-sesame', rate_per_second: 1000, reason: 'test' },
    })
    await joinPlain(sale)
    const { browser } = await joinPlain(sale)
    const wrong = await browser.post('queue', `/${sale}/plain`, {
      nonce: 'another-nonce',
      code: 'wrong-code',
    })
    expect([wrong.status, wrong.body.includes('There is no group with this code.')]).toEqual([404, true])
    expect((await browser.get('queue', `/${sale}/plain`)).body).toContain('<dd>2</dd>')
    await browser.post('queue', `/${sale}/plain`, { nonce: 'one-more-nonce', code: 'open-sesame' })
    await asking(browser, sale, ({ status }) => status === 303)
  })

  test('a ticket that is not good is thrown away, and a page that is gone says so as a page', async () => {
    const { sale } = await createSale()
    const { browser } = await joinPlain(sale)
    browser.jars.queue.set(`__Host-ticket-${sale}`, 'forged~1~~')
    const door = await asking(browser, sale, (page) => titleOf(page) === 'Join the line')
    expect([door.status, door.body.includes('The ticket is not valid.')]).toEqual([401, true])
    expect(browser.jars.queue.has(`__Host-ticket-${sale}`)).toBe(false)
    const gone = await browser.get('queue', '/no-such-sale/plain')
    expect([gone.status, titleOf(gone)]).toEqual([404, 'There is no such sale'])
    expect(gone.headers.get('content-type')).toContain('text/html')
  })

  test('forms come from our own pages, as forms; elsewhere JSON stays JSON', async () => {
    const { sale } = await createSale()
    const browser = createBrowser()
    const path = `/${sale}/plain`
    const form = { nonce: 'nonce-of-somebody' }
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: URLS.shop },
      { origin: 'null' },
    ] as Fields[])
      expect((await browser.post('queue', path, form, headers)).status).toBe(403)
    const bare = (headers: Fields) =>
      app.send('queue', 'POST', path, {
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        raw: 'nonce=nonce-of-somebody',
      })
    expect((await bare({ 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await bare({ 'sec-fetch-site': 'same-site' })).status).toBe(403)
    expect((await bare({ 'sec-fetch-site': 'same-origin' })).status).toBe(303)
    const json = await app.send('queue', 'POST', path, { headers: { origin: URLS.queue }, json: form })
    expect(json.status).toBe(415)
    const api = await browser.post('queue', `/api/queue/${sale}/join`, { device: 'x' })
    expect(api.status).toBe(415)
    const claim = await browser.post('shop', '/api/claims', { item_id: 'x' })
    expect(claim.status).toBe(415)
  })
})

test('the guard may ask something first; the answer comes with the same form, and a place with it', async () => {
  const { sale } = await createSale({ rate_per_second: 0.001 })
  const { waitingRoom, metrics, log } = app.app
  const pages = createPlainPages(app.assets, URLS)
  const host = createHttpApp('queue', {
    ...{ log, metrics },
    forms: formRoutes(pages, PLAIN_QUEUE_PATH),
  })
  const asked: PlainForm[] = []
  plainWaitingRoom(host, {
    ...{ waitingRoom, metrics, pages, shopUrl: URLS.shop },
    visitor: (_, device) => ({ device, network: 'here' }),
    admitPlain: async (_, { form }) => {
      asked.push(form)
      if (form['captcha_response'] === 'blue') return { kind: 'admitted' }
      return { kind: 'question', question: 'Which <colour> has the sky?', token: 'a-token' }
    },
    random: () => 0.5,
    newId: () => crypto.randomUUID(),
  })
  const post = (form: Fields, cookie = '') =>
    host.request(`/${sale}/plain`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: URLS.queue,
        ...(cookie === '' ? {} : { cookie }),
      },
      body: new URLSearchParams({ nonce: 'a-nonce-that-stays', code: '', ...form }).toString(),
    })
  const question = await (await post({})).text()
  expect(question).toContain('Which &lt;colour&gt; has the sky?')
  expect(question).toContain('value="a-nonce-that-stays"')
  expect(question).toContain('name="captcha_token" value="a-token"')
  const placed = await post({ captcha_token: 'a-token', captcha_response: 'blue' })
  expect(placed.status).toBe(303)
  expect(asked).toHaveLength(2)
  // Whoever holds a place is not asked again.
  const cookie = placed.headers.getSetCookie().map((line) => line.split(';')[0] ?? '')
  expect((await post({}, cookie.join('; '))).status).toBe(303)
  expect(asked).toHaveLength(2)
})

describe('the checkout', () => {
  test('the pass leaves the address; a claim sent twice is one order, which the page shows and gives back', async () => {
    const { sale, item } = await createSale({
      product: { name: 'TV <b>', per_buyer_limit: 2, description: 'Large & flat' },
    })
    const { browser, path, items } = await comeIn(sale)
    expect(items.body).toContain('TV &lt;b&gt;')
    expect(items.body).toContain('€199.00')
    expect(items.body).toContain('10 of 10 left')
    expect(items.body).not.toContain('pass=')
    const form = { nonce: hidden(items, 'nonce'), item_id: item, quantity: '2' }
    const first = await browser.post('shop', path, form)
    const second = await browser.post('shop', path, form)
    expect(first.status).toBe(303)
    expect(second.headers.get('location')).toBe(first.headers.get('location') ?? '')

    const order = locationOf(first).pathname
    const page = await browser.get('shop', order)
    expect(titleOf(page)).toBe('You have it')
    expect(page.body).toContain('2 × TV')
    expect(page.body).toContain('€398.00')
    expect(page.body).toContain(`${URLS.shop}/checkout/${sale}?order=${order.split('/').at(-1)}`)
    expect(refreshOf(page)).toBeGreaterThan(1)
    expect(titleOf(await createBrowser().get('shop', order))).toBe('No session')
    expect((await browser.get('shop', `${path}/orders/nothing`)).status).toBe(404)

    expect((await browser.post('shop', order, { action: 'cancel' })).status).toBe(303)
    const cancelled = await browser.get('shop', order)
    expect([titleOf(cancelled), refreshOf(cancelled)]).toEqual(['Order cancelled', NaN])
    // The place is used up: another one comes from the form behind the link, not from the link.
    expect(cancelled.body).toContain(`href="${URLS.queue}/${sale}/plain?again=1"`)
    const ticket = () => browser.jars.queue.get(`__Host-ticket-${sale}`)
    const before = ticket()
    const again = await browser.get('queue', `/${sale}/plain?again=1`)
    expect(ticket()).toBe(before ?? '')
    const fields = { nonce: hidden(again, 'nonce'), again: hidden(again, 'again'), code: '' }
    expect((await browser.post('queue', `/${sale}/plain`, fields)).status).toBe(303)
    expect(ticket()).not.toBe(before ?? '')
    expect((await app.app.inventory.stock(item))?.available).toBe(10)
  })

  test('a refused claim says why and frees the pass; sold out has no form', async () => {
    const { sale, item } = await createSale({ product: { units: 1 }, checkouts_per_unit: 3 })
    const [first, second] = [await comeIn(sale), await comeIn(sale)]
    const claim = ({ browser, path, items }: typeof first, more: Fields = {}) =>
      browser.post('shop', path, { nonce: hidden(items, 'nonce'), item_id: item, quantity: '1', ...more })
    expect((await claim(first)).status).toBe(303)
    const held = await claim(second)
    expect([held.status, held.body.includes('All units are held, some may return.')]).toEqual([409, true])
    for (const [more, status] of [
      [{ quantity: 'x' }, 400],
      [{ quantity: '0' }, 400],
      [{ nonce: 'of another page' }, 400],
      [{ item_id: 'nothing' }, 404],
    ] as const) {
      const refused = await claim(second, more)
      expect([more, refused.status, refused.body.includes('role="alert"')]).toEqual([more, status, true])
    }
    // The first one's pass is used: another choice with it is another claim.
    const used = await claim(first, { quantity: '2' })
    expect([used.status, titleOf(used)]).toEqual([403, 'The pass has been used'])
    expect(used.body).toContain('Your order of this sale')
  })

  test('without a pass, or with a forged one, the way leads to the waiting room', async () => {
    const { sale, item } = await createSale()
    const path = `/checkout/${sale}/plain`
    const browser = createBrowser()
    const none = await browser.get('shop', path)
    expect([none.status, titleOf(none)]).toEqual([401, 'A pass from the waiting room is needed'])
    expect(none.body).toContain(`href="${URLS.queue}/${sale}/plain"`)
    expect((await browser.post('shop', path, { item_id: item })).status).toBe(401)
    await browser.get('shop', `${path}?pass=forged`)
    const items = await browser.get('shop', path)
    const forged = await browser.post('shop', path, {
      nonce: hidden(items, 'nonce'),
      item_id: item,
      quantity: '1',
    })
    expect([forged.status, titleOf(forged)]).toEqual([401, 'The pass is not valid'])
    expect(browser.jars.shop.has(`__Host-pass-${sale}`)).toBe(false)
  })
})
