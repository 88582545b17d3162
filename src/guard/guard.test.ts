import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { handClock, SECRET, solveByReading, solvedBy } from '../../test/support/guard.ts'
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts'
import { systemClock } from '../platform/clock.ts'
import { connectRedis, type RedisConnection } from '../platform/redis.ts'
import {
  type Captcha,
  type Client,
  createGuard,
  type GuardParts,
  GuardSettings,
  type GuardSettingsInput,
  type JoinAttempt,
} from './guard.ts'

let server: TestRedis
let redis: RedisConnection
beforeAll(async () => {
  server = await startTestRedis()
  redis = await connectRedis({ url: server.url })
})
afterAll(async () => {
  await redis.close()
  await server.stop()
})

const EASY = { hashes: 20, raised_hashes: 200, captcha_hashes: 30 }
let sales = 0
/** A guard of a sale of its own. */
function guardOf(settings: GuardSettingsInput = {}, parts: Partial<GuardParts> = {}) {
  const sale = `sale-${++sales}`
  const parsed = GuardSettings.parse({
    counting: { cells: 8192 },
    ...settings,
    proof_of_work: { ...EASY, ...settings.proof_of_work },
  })
  const guard = createGuard({
    ...{ redis, clock: systemClock, secret: SECRET, trustedProxyHops: 1 },
    settingsOf: async (asked) => (asked === sale ? parsed : undefined),
    ...parts,
  })
  /** Fetches a challenge, solves it and joins, as a browser does. */
  const join = async (attempt: Partial<JoinAttempt> = {}) => {
    const { device = `device-${Math.random()}`, client = from('203.0.113.7') } = attempt
    const fetched = await guard.challenge({ sale, device, client })
    if (fetched.kind !== 'ok') return fetched
    return guard.admitJoin({ sale, device, client, solution: solvedBy(fetched.challenge), ...attempt })
  }
  return { ...guard, sale, join }
}

const BROWSER = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
  'accept-language': 'en',
  'sec-fetch-site': 'same-origin',
}
/** A browser behind our one proxy. */
const from = (address: string, headers: Record<string, string> = BROWSER): Client => ({
  address: '10.0.0.1',
  headers: new Headers({ ...headers, 'x-forwarded-for': address }),
})
const script = (address: string) => from(address, { 'user-agent': 'python-requests/2.32' })

describe('proof of work', () => {
  test('a solved challenge opens, once', async () => {
    const guard = guardOf()
    const client = from('203.0.113.7')
    const asked = { sale: guard.sale, device: 'd', client }
    const fetched = await guard.challenge(asked)
    if (fetched.kind !== 'ok') throw new Error('no challenge')
    const attempt = { ...asked, solution: solvedBy(fetched.challenge) }
    const encoded = Buffer.from(JSON.stringify(attempt.solution)).toString('base64')
    expect(await guard.admitJoin(attempt)).toMatchObject({ kind: 'ok', risk: { level: 'low' } })
    expect(await guard.admitJoin(attempt)).toMatchObject({ problem: 'proof_used' })
    expect(await guard.admitJoin({ ...attempt, solution: encoded })).toMatchObject({ problem: 'proof_used' })
  })

  test('of 100 parallel uses, on two nodes, one wins', async () => {
    const settings = { limits: { on: false }, risk: { on: false } }
    const guard = guardOf(settings)
    const other = createGuard({
      ...{ redis, clock: systemClock, secret: SECRET, trustedProxyHops: 1 },
      settingsOf: async () =>
        GuardSettings.parse({ ...settings, counting: { cells: 8192 }, proof_of_work: EASY }),
    })
    const asked = { sale: guard.sale, device: 'd', client: from('203.0.113.7') }
    const fetched = await guard.challenge(asked)
    if (fetched.kind !== 'ok') throw new Error('no challenge')
    const attempt = { ...asked, solution: solvedBy(fetched.challenge) }
    const verdicts = await Promise.all(
      Array.from({ length: 100 }, (_, n) => (n % 2 ? guard : other).admitJoin(attempt)),
    )
    expect(verdicts.filter(({ kind }) => kind === 'ok')).toHaveLength(1)
    expect(verdicts.filter((one) => one.kind === 'refused' && one.problem === 'proof_used')).toHaveLength(99)
  })

  test('missing, foreign, altered, expired', async () => {
    const clock = handClock()
    const guard = guardOf({}, { clock })
    const asked = { sale: guard.sale, device: 'd', client: from('203.0.113.7') }
    const fetched = await guard.challenge(asked)
    if (fetched.kind !== 'ok') throw new Error('no challenge')
    const solution = solvedBy(fetched.challenge)
    expect(await guard.admitJoin(asked)).toMatchObject({ problem: 'proof_missing' })
    expect(await guard.admitJoin({ ...asked, solution: 'x' })).toMatchObject({
      ...{ problem: 'proof_invalid', why: 'malformed' },
    })
    expect(await guard.admitJoin({ ...asked, device: 'other', solution })).toMatchObject({
      ...{ problem: 'proof_invalid', why: 'wrong_device' },
    })
    const signature = solution.challenge.signature.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))
    const altered = { ...solution, challenge: { ...solution.challenge, signature } }
    expect(await guard.admitJoin({ ...asked, solution: altered })).toMatchObject({ why: 'bad_signature' })
    clock.advance(602_000)
    expect(await guard.admitJoin({ ...asked, solution })).toMatchObject({ problem: 'proof_expired' })
  })

  test('an unknown sale is refused before anything is counted', async () => {
    const guard = guardOf()
    const asked = { sale: 'no-such-sale', device: 'd', user: 'u', ticket: 't', client: from('203.0.113.7') }
    for (const answer of [
      await guard.challenge(asked),
      await guard.admitJoin(asked),
      await guard.enterAllowed(asked),
      await guard.claimAllowed(asked),
    ])
      expect(answer).toMatchObject({ kind: 'refused', problem: 'unknown_sale' })
    await guard.noteEnter(asked)
    expect(await redis.commands.keys('guard:*no-such-sale*')).toEqual([])
  })

  test('switched off, a join needs none', async () => {
    const guard = guardOf({ proof_of_work: { on: false } })
    expect(await guard.join({ solution: undefined })).toMatchObject({ kind: 'ok' })
  })
})

describe('limits', () => {
  const strict = { limits: { join_address: { points: 4 } }, risk: { on: false } }

  test('a /64 is one address, and so is a mapped one', async () => {
    const guard = guardOf(strict)
    const kinds = []
    for (let n = 1; n <= 7; n++) kinds.push((await guard.join({ client: from(`2001:db8:1:2::${n}`) })).kind)
    expect(kinds).toEqual([...Array<string>(5).fill('ok'), 'refused', 'refused'])
    expect(await guard.join({ client: from('2001:db8:1:3::1') })).toMatchObject({ kind: 'ok' })
    for (let n = 1; n <= 5; n++)
      expect(await guard.join({ client: from(n % 2 ? '192.0.2.9' : '::ffff:192.0.2.9') })).toMatchObject({
        kind: 'ok',
      })
    expect(await guard.join({ client: from('192.0.2.9') })).toMatchObject({
      ...{ problem: 'rate_limited', why: 'join_address' },
    })
  })

  test('a forged header does not help: only the entry of our proxy counts', async () => {
    const guard = guardOf(strict)
    const verdicts = []
    for (let n = 1; n <= 6; n++) verdicts.push(await guard.join({ client: from(`1.1.1.${n}, 203.0.113.9`) }))
    expect(verdicts.at(-1)).toMatchObject({ problem: 'rate_limited' })
    expect((verdicts.at(-1) as { retry_after_s: number }).retry_after_s).toBeGreaterThan(50)
    // Directly, past the proxy: the header is too short, the socket counts.
    const direct = { address: '198.51.100.1', headers: new Headers(BROWSER) }
    for (let n = 1; n <= 5; n++) expect(await guard.join({ client: direct })).toMatchObject({ kind: 'ok' })
    expect(await guard.join({ client: direct })).toMatchObject({ problem: 'rate_limited' })
  })

  test('by device, user, fingerprint and network, each by itself', async () => {
    const known = { device: 'same', user: 'same', fingerprint: 'same' } as const
    for (const name of ['device', 'user', 'fingerprint'] as const) {
      const guard = guardOf({ limits: { [`join_${name}`]: { points: 2 } }, risk: { on: false } })
      const join = () => guard.join({ [name]: known[name] })
      expect([(await join()).kind, (await join()).kind]).toEqual(['ok', 'ok'])
      expect(await join()).toMatchObject({ problem: 'rate_limited', why: `join_${name}` })
    }
    const guard = guardOf({ limits: { join_network: { points: 2 } }, risk: { on: false } })
    await guard.join({ client: from('192.0.2.1') })
    await guard.join({ client: from('192.0.2.2') })
    expect(await guard.join({ client: from('192.0.2.3') })).toMatchObject({ why: 'join_network' })
  })

  test('who is refused keeps the solution for later', async () => {
    const clock = handClock()
    const guard = guardOf(
      { limits: { join_device: { points: 1, duration_s: 1 } }, risk: { on: false } },
      { clock },
    )
    const client = from('203.0.113.7')
    const asked = { sale: guard.sale, device: 'd', client }
    await guard.join(asked)
    const fetched = await guard.challenge(asked)
    if (fetched.kind !== 'ok') throw new Error('no challenge')
    const attempt = { ...asked, solution: solvedBy(fetched.challenge) }
    expect(await guard.admitJoin(attempt)).toMatchObject({ problem: 'rate_limited', retry_after_s: 1 })
    clock.advance(2000)
    // Redis keeps its own time.
    const again = async (): Promise<string> => {
      const { kind } = await guard.admitJoin(attempt)
      clock.advance(2000)
      return kind === 'ok' ? kind : Bun.sleep(50).then(again)
    }
    expect(await again()).toBe('ok')
  })

  test('an honest waiter never trips one: joins, comes too early every second for minutes, enters, buys', async () => {
    const guard = guardOf()
    const client = from('203.0.113.50')
    const { sale } = guard
    expect(await guard.join({ client, user: 'u', fingerprint: 'f' })).toMatchObject({ kind: 'ok' })
    // A tab lost and found: twice more.
    for (let n = 0; n < 2; n++)
      expect(await guard.join({ device: 'd', client })).toMatchObject({ kind: 'ok' })
    for (let n = 0; n < 60; n++)
      expect(await guard.enterAllowed({ sale, ticket: 'ticket', client })).toEqual({ kind: 'ok' })
    await guard.noteEnter({ sale, client })
    for (let n = 0; n < 10; n++)
      expect(await guard.claimAllowed({ sale, user: 'u', client })).toEqual({ kind: 'ok' })
  })

  test('a household and a carrier full of honest people are let in', async () => {
    const guard = guardOf()
    const phones = Array.from({ length: 400 }, (_, n) =>
      guard.join({ client: from(`198.51.100.${n % 8}`), fingerprint: 'the same phone' }),
    )
    const verdicts = await Promise.all(phones)
    // Those who joined while the score rose fetch one harder challenge; nobody is refused for good.
    const refused = verdicts.filter((one) => one.kind === 'refused')
    expect(new Set(refused.map(({ problem }) => problem))).toEqual(
      new Set(refused.length > 0 ? ['proof_too_weak'] : []),
    )
    expect(await guard.join({ client: from('198.51.100.1'), fingerprint: 'the same phone' })).toMatchObject({
      ...{ kind: 'ok', risk: { level: 'raised' } },
    })
  })

  test('enters and claims have limits of their own', async () => {
    const guard = guardOf({ limits: { enter_ticket: { points: 3 }, claim_user: { points: 2 } } })
    const client = from('203.0.113.7')
    const { sale } = guard
    for (let n = 0; n < 3; n++)
      expect(await guard.enterAllowed({ sale, ticket: 'a', client })).toEqual({ kind: 'ok' })
    expect(await guard.enterAllowed({ sale, ticket: 'a', client })).toMatchObject({ why: 'enter_ticket' })
    expect(await guard.enterAllowed({ sale, ticket: 'b', client })).toEqual({ kind: 'ok' })
    for (let n = 0; n < 2; n++)
      expect(await guard.claimAllowed({ sale, user: 'a', client })).toEqual({ kind: 'ok' })
    expect(await guard.claimAllowed({ sale, user: 'a', client })).toMatchObject({ why: 'claim_user' })
  })

  test('an exempt network is neither limited nor scored, but works', async () => {
    const guard = guardOf({ ...strict, exempt_networks: ['192.0.2.0/24'] })
    for (let n = 0; n < 12; n++)
      expect(await guard.join({ client: script('192.0.2.4') })).toMatchObject({
        kind: 'ok',
        risk: { score: 0 },
      })
    const asked = { sale: guard.sale, device: 'd', client: script('192.0.2.4') }
    expect(await guard.admitJoin(asked)).toMatchObject({ problem: 'proof_missing' })
  })
})

describe('risk', () => {
  test('raised: a harder challenge, and an easy one is not enough', async () => {
    const guard = guardOf()
    const asked = { sale: guard.sale, device: 'd' }
    const easy = await guard.challenge({ ...asked, client: from('203.0.113.7') })
    const hard = await guard.challenge({ ...asked, client: script('203.0.113.7') })
    if (easy.kind !== 'ok' || hard.kind !== 'ok') throw new Error('no challenge')
    expect(easy.challenge.parameters.data.hashes).toBe(EASY.hashes)
    expect(hard.challenge.parameters.data.hashes).toBe(EASY.raised_hashes)
    expect(hard.risk.reasons[0]).toEqual({ reason: 'automation_user_agent', points: 40 })
    const join = (challenge: typeof easy.challenge) =>
      guard.admitJoin({ ...asked, client: script('203.0.113.7'), solution: solvedBy(challenge) })
    expect(await join(easy.challenge)).toMatchObject({ problem: 'proof_too_weak' })
    expect(await join(hard.challenge)).toMatchObject({ kind: 'ok', risk: { level: 'raised' } })
  })

  const suspicious = { risk: { raised: 10, anomalous: 20 } }
  const pass: Captcha = {
    issue: () => ({ kind: 'widget', provider: 'turnstile', site_key: 's', action: 'a' }),
    verify: async ({ answer, ip }) =>
      answer.response === 'down'
        ? { kind: 'unavailable', detail: 'down' }
        : answer.response === ip
          ? { kind: 'passed' }
          : { kind: 'failed', detail: 'Try again.' },
  }

  test('anomalous: a CAPTCHA, whose answer opens with the same solution', async () => {
    const errors: unknown[] = []
    const guard = guardOf(suspicious, { captcha: pass, onError: (error) => errors.push(error) })
    const asked = { sale: guard.sale, device: 'd', client: script('203.0.113.7') }
    const fetched = await guard.challenge(asked)
    if (fetched.kind !== 'ok') throw new Error('no challenge')
    const join = (response?: string) =>
      guard.admitJoin({
        ...asked,
        solution: solvedBy(fetched.challenge),
        captcha: response === undefined ? undefined : { response },
      })
    expect(await join()).toMatchObject({ problem: 'captcha_required', captcha: { kind: 'widget' } })
    expect(await join('wrong')).toMatchObject({ problem: 'captcha_required', why: 'captcha_failed' })
    const down = await join('down')
    expect(down).toMatchObject({ problem: 'unavailable', why: 'captcha_unavailable' })
    expect(errors).toHaveLength(1)
    expect(await join('203.0.113.7')).toMatchObject({ kind: 'ok', risk: { level: 'anomalous' } })
    expect(await join('203.0.113.7')).toMatchObject({ problem: 'proof_used' })
  })

  test('without a provider it is a question, with more work beside it', async () => {
    const guard = guardOf(suspicious)
    const refused = await guard.join({ device: 'd', client: script('203.0.113.7') })
    if (refused.kind !== 'refused' || refused.captcha?.kind !== 'question') throw new Error('no question')
    const { question, token, proof } = refused.captcha
    if (proof === undefined) throw new Error('no work')
    expect(proof.parameters.data.hashes).toBe(EASY.captcha_hashes)
    const captcha = { response: solveByReading(question), token, solution: { ...solvedBy(proof) } }
    expect(await guard.join({ device: 'd', client: script('203.0.113.7'), captcha })).toMatchObject({
      ...{ kind: 'ok', risk: { level: 'anomalous' } },
    })
    expect(
      await guard.join({ device: 'd', client: script('203.0.113.7'), captcha: { response: '' } }),
    ).toMatchObject({
      problem: 'captcha_required',
    })
  })

  test('a bot gets the decoy where the sale says so, else the CAPTCHA', async () => {
    const bot = { risk: { raised: 10, anomalous: 20, bot: 30 } }
    const decoyed = guardOf({ ...bot, decoy: { on: true } })
    expect(await decoyed.join({ client: script('203.0.113.7') })).toMatchObject({ kind: 'decoy' })
    expect(await guardOf(bot).join({ client: script('203.0.113.7') })).toMatchObject({
      problem: 'captcha_required',
    })
    expect(
      await guardOf({ ...bot, captcha: { on: false } }).join({ client: script('203.0.113.7') }),
    ).toMatchObject({
      kind: 'ok',
    })
  })

  test('a farm behind one block of addresses is found out; others are not held to account for it', async () => {
    const guard = guardOf()
    const verdicts = []
    for (let n = 0; n < 300; n++)
      verdicts.push(
        await guard.join({ client: from(`192.0.2.${n % 200}`, { 'user-agent': 'Go-http-client/2.0' }) }),
      )
    const asked = verdicts.filter((one) => one.kind === 'refused' && one.problem === 'captcha_required')
    expect(asked.length).toBeGreaterThan(100)
    expect(await guard.join({ client: from('203.0.113.7') })).toMatchObject({
      kind: 'ok',
      risk: { level: 'low' },
    })
  })

  test('those who take places and do not come are suspected, once others come', async () => {
    const guard = guardOf()
    const { sale } = guard
    for (let n = 0; n < 30; n++) {
      await guard.join({ client: from('203.0.113.1') })
      await guard.join({ client: from('198.51.100.1') })
      await guard.noteEnter({ sale, client: from('198.51.100.1') })
    }
    const reasonsFor = async (address: string) => {
      const verdict = await guard.challenge({ sale, device: 'd', client: from(address) })
      return verdict.kind === 'ok' ? verdict.risk.reasons.map(({ reason }) => reason) : []
    }
    expect(await reasonsFor('203.0.113.1')).toContain('joins_without_enters')
    expect(await reasonsFor('198.51.100.1')).not.toContain('joins_without_enters')
  })
})

test('without JavaScript: a question in place of the work, behind a limit of its own', async () => {
  const guard = guardOf(
    { limits: { form_address: { points: 3 } } },
    { captcha: { issue, verify: neverAsked } },
  )
  const join = () => guard.join({ device: 'd', form: true, solution: undefined })
  const refused = await join()
  if (refused.kind !== 'refused' || refused.captcha?.kind !== 'question') throw new Error('no question')
  expect(refused.captcha.proof).toBeUndefined()
  const { question, token } = refused.captcha
  const captcha = { response: solveByReading(question), token }
  expect(await guard.join({ device: 'd', form: true, solution: undefined, captcha })).toMatchObject({
    kind: 'ok',
  })
  await join()
  expect(await join()).toMatchObject({ problem: 'rate_limited', why: 'form_address' })
})
const issue: Captcha['issue'] = () => {
  throw new Error('a widget needs JavaScript')
}
const neverAsked: Captcha['verify'] = async () => ({ kind: 'passed' })

test('without Redis: challenges are made, forgeries are told apart, limits hold, and nobody is admitted', async () => {
  const own = await startTestRedis()
  const connection = await connectRedis({ url: own.url, commandTimeoutMs: 500 })
  const guard = guardOf(
    { limits: { join_device: { points: 4 } }, risk: { on: false } },
    { redis: connection },
  )
  await own.kill9()
  expect(await guard.join({ solution: 'x' })).toMatchObject({ problem: 'proof_invalid' })
  for (let n = 0; n < 5; n++) {
    const verdict = await guard.join({ device: 'd' })
    expect(verdict).toMatchObject({ problem: 'unavailable', why: 'burn_failed' })
    const wait = verdict.kind === 'refused' ? (verdict.retry_after_s ?? 0) : 0
    expect(wait).toBeGreaterThanOrEqual(1)
    expect(wait).toBeLessThan(5)
  }
  expect(await guard.join({ device: 'd' })).toMatchObject({ problem: 'rate_limited' })
  await connection.close()
  await own.stop()
})

test('a short secret is refused', () => {
  expect(() => guardOf({}, { secret: Buffer.alloc(31) })).toThrow(RangeError)
})
