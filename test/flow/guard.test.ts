import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { CaptchaChallenge, Challenge } from '../../src/contracts/guard.ts'
import type { GuardSettingsInput } from '../../src/guard/guard.ts'
import { type Answer, type Fields, problemOf, startApp, type TestApp } from '../support/app.ts'
import { createBuyer, createSale, newKey } from '../support/buyer.ts'
import { solveByReading, solvedBy } from '../support/guard.ts'

let app: TestApp
beforeAll(async () => void (app = await startApp({ TRUSTED_PROXIES: '1' })))
afterAll(() => app.close())

const BROWSER: Fields = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
  'accept-language': 'en',
  'sec-fetch-site': 'same-origin',
}
const WORK = { hashes: 50, raised_hashes: 500, captcha_hashes: 60 }
const guarded = (guard: GuardSettingsInput = {}, at = app) =>
  createSale(at, { guard: { counting: { cells: 8192 }, proof_of_work: WORK, ...guard } })

let addresses = 0
/** Somebody at an address of their own. */
const somebody = (headers = BROWSER): Fields => ({
  ...headers,
  'x-forwarded-for': `198.51.${++addresses >> 8}.${addresses & 255}`,
})

const challenge = async (sale: string, headers = somebody(), device = 'phone') => {
  const path = `/api/queue/${sale}/challenge?device=${device}`
  return (await app.send<Challenge>('queue', 'GET', path, { headers })).body
}
interface Joined {
  readonly ticket: string
  readonly position: number
  readonly captcha: Extract<CaptchaChallenge, { kind: 'question' }>
}
const join = (sale: string, json: object, headers = somebody()) =>
  app.send<Joined>('queue', 'POST', `/api/queue/${sale}/join`, {
    headers,
    json: { device: 'phone', ...json },
  })
const joinProven = async (sale: string, headers = somebody(), device = 'phone') =>
  join(sale, { solution: solvedBy(await challenge(sale, headers, device)), device }, headers)
const codeOf = (answer: Answer<unknown>) => problemOf(answer as Answer)
const statusOf = async (sale: string) =>
  (await app.send<{ last_position: number; now_serving: number }>('queue', 'GET', `/api/queue/${sale}`)).body

describe('proof of work', () => {
  test('challenge, solution, place', async () => {
    const { sale } = await guarded()
    expect(await joinProven(sale)).toMatchObject({ status: 201, body: { position: 1 } })
    const solution = Buffer.from(JSON.stringify(solvedBy(await challenge(sale)))).toString('base64')
    expect(await join(sale, { solution })).toMatchObject({ status: 201, body: { position: 2 } })
  })

  test('what is no solution takes no place', async () => {
    const [{ sale }, { sale: other }] = [await guarded(), await guarded()]
    const [one, two] = [solvedBy(await challenge(sale)), solvedBy(await challenge(sale))]
    const signature = `${one.challenge.signature.startsWith('0') ? '1' : '0'}${one.challenge.signature.slice(1)}`
    const easier = { ...one.challenge.parameters, data: { ...one.challenge.parameters.data, hashes: 1 } }
    const bad: [string, object, string][] = [
      ['missing', {}, 'proof_missing'],
      ['null', { solution: null }, 'proof_missing'],
      ['malformed', { solution: 'AAAA' }, 'proof_invalid'],
      ['another shape', { solution: { counter: 1 } }, 'proof_invalid'],
      ['forged', { solution: { ...one, challenge: { ...one.challenge, signature } } }, 'proof_invalid'],
      [
        'altered',
        { solution: { ...one, challenge: { ...one.challenge, parameters: easier } } },
        'proof_invalid',
      ],
      ['spliced', { solution: { ...one, solution: two.solution } }, 'proof_invalid'],
      ['of another sale', { solution: solvedBy(await challenge(other)) }, 'proof_invalid'],
      ['of another device', { solution: one, device: 'tablet' }, 'proof_invalid'],
    ]
    for (const [what, json, code] of bad)
      expect({ what, code: codeOf(await join(sale, json)) }).toEqual({ what, code })
    app.clock.aheadMs += 601_000
    expect(codeOf(await join(sale, { solution: one }))).toBe('proof_expired')
    app.clock.aheadMs -= 601_000
    expect((await statusOf(sale)).last_position).toBe(0)
    // None of it used up the good one; it is good once.
    expect((await join(sale, { solution: one })).status).toBe(201)
    expect(codeOf(await join(sale, { solution: one }))).toBe('proof_used')
  })

  test('100 joins at once with one solution: one place', async () => {
    const { sale } = await guarded({ limits: { on: false }, risk: { on: false } })
    const solution = solvedBy(await challenge(sale))
    const answers = await Promise.all(
      Array.from({ length: 100 }, () =>
        join(sale, { solution }, { ...somebody(), 'idempotency-key': newKey() }),
      ),
    )
    const refused = answers.filter(({ status }) => status !== 201)
    expect(refused).toHaveLength(99)
    expect(new Set(refused.map(codeOf))).toEqual(new Set(['proof_used']))
    expect(await joinProven(sale)).toMatchObject({ body: { position: 2 } })
  })

  test('whoever has a place keeps it without another proof', async () => {
    const { sale } = await guarded()
    const { ticket, position } = (await joinProven(sale)).body
    expect(await join(sale, { ticket })).toMatchObject({ status: 200, body: { ticket, position } })
    expect(codeOf(await join(sale, { ticket, device: 'tablet' }))).toBe('proof_missing')
  })
})

describe('whom an address is', () => {
  const GREEDY = { limits: { challenge_address: { points: 4 } } }
  const NEXT = Array.from({ length: 16 }, (_, index) => index)
  /** Whether those who send these headers are taken for one and limited. */
  const limited = async (at: TestApp, forwarded: (index: number) => string, address = '10.0.0.1') => {
    const { sale } = await guarded(GREEDY, at)
    let refusals = 0
    for (const index of NEXT) {
      const headers = { ...BROWSER, 'x-forwarded-for': forwarded(index) }
      const path = `/api/queue/${sale}/challenge?device=d${index}`
      const answer = await at.send('queue', 'GET', path, { headers, address })
      if (answer.status !== 200) {
        expect(problemOf(answer)).toBe('rate_limited')
        expect(Number(answer.headers.get('retry-after'))).toBeWithin(1, 61)
        refusals++
      }
    }
    // Whoever is taken for one gets the limit, and at most a quarter and two more.
    expect([0, ...NEXT.slice(9, 13)]).toContain(refusals)
    return refusals > 0
  }

  test('one proxy: the last entry counts, whatever stands before it', async () => {
    expect(await limited(app, (index) => `192.0.2.${index}`)).toBe(false)
    expect(await limited(app, (index) => `192.0.2.${index}, 198.51.100.1`)).toBe(true)
    expect(await limited(app, (index) => `198.51.100.1, 192.0.2.${index}`)).toBe(false)
    // Nothing one can read: all of these are the proxy.
    expect(await limited(app, (index) => `somewhere-${index}`)).toBe(true)
  })
  test('an IPv6 /64 is one, a mapped IPv4 address is that address', async () => {
    expect(await limited(app, (index) => `2001:db8:1:2:${index}::${index}`)).toBe(true)
    expect(await limited(app, (index) => `2001:db8:1:${index}::1`)).toBe(false)
    expect(await limited(app, (index) => (index % 2 ? '::ffff:192.0.2.9' : '192.0.2.9'))).toBe(true)
    expect(await limited(app, (index) => (index % 2 ? '::ffff:c000:209' : '192.0.2.9:4711'))).toBe(true)
  })
  test.each([
    ['0', { spoofed: true, outermost: true, second: true }],
    ['2', { spoofed: true, outermost: false, second: true }],
  ])('%s proxies', async (TRUSTED_PROXIES, expected) => {
    const other = await startApp({ TRUSTED_PROXIES })
    try {
      expect({
        spoofed: await limited(other, (index) => `192.0.2.${index}, 198.51.100.1, 10.0.0.2`),
        outermost: await limited(other, (index) => `192.0.2.${index}, 10.0.0.2`),
        second: await limited(other, (index) => `192.0.2.${index}`),
      }).toEqual(expected)
    } finally {
      await other.close()
    }
  })
})

describe('limits', () => {
  test('an honest waiter who asks as often as told meets none; one who hammers does', async () => {
    const { sale } = await guarded()
    await app.operate('PATCH', `sales/${sale}`, { rate_per_second: 0.01, reason: 'test' })
    const headers = somebody()
    await joinProven(sale)
    const { ticket } = (await joinProven(sale, headers)).body
    const enter = () =>
      app.send('queue', 'POST', `/api/queue/${sale}/enter`, { headers, json: { ticket, device: 'phone' } })
    // The page asks every second at most, a quarter of that sooner or later.
    for (let poll = 0; poll < 80; poll++) {
      expect((await app.send('queue', 'GET', `/api/queue/${sale}`, { headers })).status).toBe(200)
      expect([200, 425]).toContain((await enter()).status)
    }
    const more = await Promise.all(Array.from({ length: 100 }, enter))
    expect(new Set(more.filter(({ status }) => status === 429).map(problemOf))).toEqual(
      new Set(['rate_limited']),
    )
  })

  test('claims of one user are limited, those of another are not; it is counted', async () => {
    const { sale, item } = await guarded({
      limits: { claim_user: { points: 4 } },
      proof_of_work: { on: false },
    })
    const [greedy, other] = [createBuyer(app), createBuyer(app)]
    const [pass, good] = [await greedy.pass(sale), await other.pass(sale)]
    const claims: Answer<unknown>[] = []
    for (let time = 0; time < 10; time++) claims.push(await greedy.claim(pass, item))
    expect(claims.slice(0, 4).map(({ status }) => status)).not.toContain(429)
    expect(codeOf(claims[9] as Answer)).toBe('rate_limited')
    expect((await other.claim(good, item)).status).toBe(201)
    const { body } = await app.send<string>('ops', 'GET', '/metrics')
    expect(body).toMatch(/refusals_total\{problem="rate_limited",why="claim_user"\} [1-9]/)
    expect(body).toMatch(/refusals_total\{problem="proof_missing",why="missing"\} [1-9]/)
  })

  test('a misspelt setting is refused when the sale is created', async () => {
    const create = (guard: object) =>
      app.operate('POST', 'sales', {
        ...{ id: 'misspelt', name: 'A sale', rate_per_second: 1, reason: 'test', guard },
        products: [{ id: 'misspelt', name: 'TV', amount: 100, currency: 'EUR', units: 1 }],
      })
    const wrong: [object, RegExp][] = [
      [{ limits: { join_adress: { points: 1 } } }, /join_adress/],
      [{ limits: { join_address: { points: 0 } } }, /guard\.limits\.join_address\.points/],
      [{ proof_of_work: { hashes: 2e9 } }, /guard\.proof_of_work\.hashes/],
      [{ exempt_networks: ['somewhere'] }, /guard\.exempt_networks/],
    ]
    for (const [guard, detail] of wrong) {
      const answer = await create(guard)
      expect({ status: answer.status, code: problemOf(answer) }).toEqual({ status: 400, code: 'bad_request' })
      expect(answer.body['detail']).toMatch(detail)
    }
  })
})

describe('whoever looks like a bot', () => {
  const ODD: Fields = { 'user-agent': 'curl/8.0' }

  test('answers a question, and is let in', async () => {
    const { sale } = await guarded({ risk: { raised: 1, anomalous: 1, bot: 101 } })
    const headers = somebody(ODD)
    const solution = solvedBy(await challenge(sale, headers))
    const asked = await join(sale, { solution }, headers)
    expect(codeOf(asked)).toBe('captcha_required')
    const { question, token, proof } = asked.body.captcha
    if (proof === undefined) throw new Error('no work beside the question')
    const answer = { response: solveByReading(question), token, solution: solvedBy(proof) }
    const wrong = await join(sale, { solution, captcha: { ...answer, response: 'perhaps' } }, headers)
    expect(codeOf(wrong)).toBe('captcha_required')
    expect(wrong.body.captcha.token).not.toBe(token)
    // Used up by the wrong answer.
    expect(codeOf(await join(sale, { solution, captcha: answer }, headers))).toBe('captcha_required')
    const { captcha: next } = wrong.body
    const right = {
      ...{ response: solveByReading(next.question), token: next.token },
      ...(next.proof === undefined ? {} : { solution: solvedBy(next.proof) }),
    }
    expect(await join(sale, { solution, captcha: right }, headers)).toMatchObject({ status: 201 })
    // Nobody else is asked.
    expect((await joinProven(sale, somebody(), 'tablet')).status).toBe(201)
  })

  test('or stands in a line that leads nowhere, and can not tell', async () => {
    const { sale } = await guarded({ decoy: { on: true }, risk: { raised: 1, anomalous: 1, bot: 1 } })
    const real = (await joinProven(sale)).body
    const keys = async () => (await app.app.redis.commands.keys(`queue:{${sale}}*`)).sort()
    while ((await statusOf(sale)).last_position < 1) await Bun.sleep(20)
    const before = [await keys(), (await statusOf(sale)).last_position]
    const headers = somebody(ODD)
    const decoy = await joinProven(sale, headers)
    expect({ status: decoy.status, fields: Object.keys(decoy.body) }).toEqual({
      status: 201,
      fields: Object.keys(real),
    })
    const { ticket, position } = decoy.body
    expect({ position, parts: ticket.split('.').length }).toEqual({ position: 2, parts: 3 })
    expect([await keys(), (await statusOf(sale)).last_position]).toEqual(before)
    // It keeps its place like others, and the next real one is there where it seems to be.
    expect(await join(sale, { ticket }, headers)).toMatchObject({
      status: 200,
      body: { ticket, position: 2 },
    })
    expect((await joinProven(sale, somebody(), 'tablet')).body.position).toBe(2)
    const enter = async () =>
      app.send('queue', 'POST', `/api/queue/${sale}/enter`, { headers, json: { ticket, device: 'phone' } })
    while ((await statusOf(sale)).now_serving < 2) await Bun.sleep(20)
    for (let time = 0; time < 5; time++) expect(problemOf(await enter())).toBe('too_early')
  })
})

test('without Redis nobody gets a place; who is refused comes back at different times', async () => {
  const other = await startApp()
  try {
    const { sale } = await guarded({}, other)
    const device = (index: number) => `/api/queue/${sale}/challenge?device=device-${index}`
    const proofs = await Promise.all(
      Array.from({ length: 20 }, async (_, index) =>
        solvedBy((await other.send<Challenge>('queue', 'GET', device(index), { headers: BROWSER })).body),
      ),
    )
    await other.send('queue', 'GET', `/api/queue/${sale}`)
    await other.redis.stop()
    const answers = await Promise.all(
      proofs.map((solution, index) =>
        other.send('queue', 'POST', `/api/queue/${sale}/join`, {
          headers: BROWSER,
          json: { device: `device-${index}`, solution },
        }),
      ),
    )
    expect(new Set(answers.map(problemOf))).toEqual(new Set(['unavailable']))
    const waits = answers.map(({ headers }) => Number(headers.get('retry-after')))
    for (const wait of waits) expect(wait).toBeWithin(1, 6)
    expect(new Set(waits).size).toBeGreaterThan(1)
  } finally {
    await other.close()
  }
}, 30_000)
