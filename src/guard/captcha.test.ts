import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createWork, handClock, MINE, SECRET, solveByReading, solvedBy } from '../../test/support/guard.ts'
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts'
import type { CaptchaChallenge } from '../contracts/guard.ts'
import { type Language, LANGUAGES } from '../contracts/words/say.ts'
import { connectRedis, type RedisConnection } from '../platform/redis.ts'
import { createSpeakers } from '../platform/words.ts'
import { type SiteverifyOptions, siteverifyCaptcha } from './captcha.ts'
import { questionCaptcha } from './question.ts'
import { drawQuestion, KINDS, normalise, wordsOf } from './questions.ts'
import { createBurner, createNonces } from './single-use.ts'

const speakers = createSpeakers()

describe('siteverify', () => {
  /** Speaks the providers' wire: the response tells which answer to give. Like them it takes a token once. */
  const used = new Set<string>()
  const ANSWERS: Readonly<Record<string, object>> = {
    good: {
      success: true,
      hostname: 'queue.example',
      action: 'join_sale_1',
      challenge_ts: '2026-11-27T00:00:00Z',
    },
    'good-plain': { success: true, hostname: 'queue.example', 'error-codes': [] },
    'other-site': { success: true, hostname: 'evil.example' },
    'no-site': { success: true },
    'other-sale': { success: true, hostname: 'queue.example', action: 'join_other' },
    'low-score': { success: true, hostname: 'queue.example', score: 0.1 },
    'high-score': { success: true, hostname: 'queue.example', score: 0.9 },
    bad: { success: false, 'error-codes': ['invalid-input-response'] },
    'bad-secret': { success: false, 'error-codes': ['invalid-input-secret'] },
    trouble: { success: false, 'error-codes': ['internal-error'] },
    'yes-in-words': { success: 'true', hostname: 'queue.example' },
  }
  const asked: URLSearchParams[] = []
  let server: Server
  beforeAll(async () => {
    server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        const form = new URLSearchParams(body)
        asked.push(form)
        const token = form.get('response') ?? ''
        if (token === 'silence') return
        if (token === 'broken') return response.writeHead(502).end('<html>')
        if (token === 'elsewhere') return response.writeHead(302, { Location: '/?ok' }).end()
        const isRepeat = used.has(token) && token === 'good'
        used.add(token)
        const answer = isRepeat ? { success: false, 'error-codes': ['timeout-or-duplicate'] } : ANSWERS[token]
        const status = token === 'bad' ? 400 : 200
        response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer ?? {}))
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  async function bodyOf(request: IncomingMessage) {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    return body
  }

  const captchaOf = (change: Partial<SiteverifyOptions> = {}) =>
    siteverifyCaptcha({
      ...{ provider: 'turnstile', siteKey: 'site', secret: 'hush', hostnames: ['queue.example'] },
      verifyUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/siteverify`,
      ...change,
    })
  const verify = (response: string, captcha = captchaOf(), ip = '192.0.2.7') =>
    captcha.verify({ ...MINE, language: 'en', hashes: 0, ip, answer: { response } })

  test('it is asked in their form', async () => {
    expect(await verify('good-plain')).toEqual({ kind: 'passed' })
    expect(Object.fromEntries(asked.at(-1) ?? [])).toEqual({
      ...{ secret: 'hush', response: 'good-plain', remoteip: '192.0.2.7', sitekey: 'site' },
    })
    await verify('good-plain', captchaOf(), 'unknown')
    expect(asked.at(-1)?.has('remoteip')).toBe(false)
    expect(captchaOf({ provider: 'hcaptcha' }).issue({ ...MINE, language: 'en', hashes: 5 })).toEqual({
      ...{ kind: 'widget', provider: 'hcaptcha', site_key: 'site', action: 'join_sale_1' },
    })
  })

  test('a token is good once', async () => {
    expect(await verify('good')).toEqual({ kind: 'passed' })
    expect(await verify('good')).toMatchObject({ kind: 'failed' })
  })

  test.each([
    ['high-score', 'passed'],
    ['low-score', 'failed'],
    ['bad', 'failed'],
    ['other-site', 'failed'],
    ['no-site', 'failed'],
    ['other-sale', 'failed'],
    ['bad-secret', 'unavailable'],
    ['trouble', 'unavailable'],
    ['broken', 'unavailable'],
    ['elsewhere', 'unavailable'],
    ['yes-in-words', 'unavailable'],
    ['no-json', 'unavailable'],
  ])('%s is %s', async (response, kind) => expect((await verify(response)).kind).toBe(kind as never))

  test('no answer, or nobody there: closed, and said so', async () => {
    expect(await verify('silence', captchaOf({ timeoutMs: 50 }))).toMatchObject({ kind: 'unavailable' })
    expect(await verify('good', captchaOf({ verifyUrl: 'http://127.0.0.1:1/' }))).toMatchObject({
      kind: 'unavailable',
    })
  })
})

describe('question', () => {
  let server: TestRedis
  let redis: RedisConnection
  beforeAll(async () => {
    server = await startTestRedis()
    redis = await connectRedis({ url: server.url, commandTimeoutMs: 500 })
  })
  afterAll(async () => {
    await redis.close()
    await server.stop()
  })

  const clock = handClock()
  const nonces = createNonces(clock)
  const proofOfWork = createWork(clock)
  const captchaOf = () =>
    questionCaptcha({
      ...{ secret: SECRET, speakers, clock, nonces, proofOfWork },
      burn: createBurner(redis, clock),
    })
  type Asked = Extract<CaptchaChallenge, { kind: 'question' }>
  const ask = (hashes = 20, whose = MINE, language: Language = 'en') =>
    captchaOf().issue({ ...whose, language, hashes }) as Asked
  const answer = (
    asked: Asked,
    response: string,
    change: { hashes?: number; token?: string; whose?: typeof MINE } = {},
  ) =>
    captchaOf().verify({
      // The answer is looked at in the language of its question, whatever the request says.
      ...(change.whose ?? MINE),
      language: 'fr',
      ...{ hashes: change.hashes ?? 20, ip: '' },
      answer: {
        response,
        token: change.token ?? asked.token,
        ...(asked.proof === undefined ? {} : { solution: { ...solvedBy(asked.proof) } }),
      },
    })

  test('the right answer passes, once; it can be read, and not from the token', async () => {
    for (let round = 0; round < 20; round++) {
      const asked = ask()
      const right = solveByReading(asked.question)
      expect(Buffer.from(asked.token.split('.')[0] ?? '', 'base64url').toString()).not.toContain(`"${right}"`)
      expect(await answer(asked, ` ${right.toUpperCase()}. `)).toEqual({ kind: 'passed' })
      expect(await answer(asked, right)).toMatchObject({ kind: 'failed' })
    }
  })

  test('a wrong answer uses it up as well', async () => {
    const asked = ask()
    expect(await answer(asked, 'wrong')).toMatchObject({ kind: 'failed' })
    expect(await answer(asked, solveByReading(asked.question))).toMatchObject({ kind: 'failed' })
  })

  test('of 50 answers at once one is heard', async () => {
    const asked = ask()
    const right = solveByReading(asked.question)
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => answer(asked, right)))
    expect(outcomes.filter(({ kind }) => kind === 'passed')).toHaveLength(1)
  })

  test('not for another sale or device, without its work, with the work of another, altered, or late', async () => {
    const asked = ask()
    const right = solveByReading(asked.question)
    const refused = async (...[of, response, change]: Parameters<typeof answer>) =>
      expect(await answer(of, response, change)).toMatchObject({ kind: 'failed' })
    await refused(asked, right, { whose: { ...MINE, sale: 'sale-2' } })
    await refused(asked, right, { whose: { ...MINE, device: 'device-2' } })
    await refused({ kind: 'question', question: asked.question, token: asked.token }, right)
    await refused({ ...asked, proof: ask().proof }, right)
    // Without scripts there is less work to do; such a question is none for a browser.
    const light = ask(0)
    expect(light.proof).toBeUndefined()
    await refused({ ...light, proof: asked.proof }, solveByReading(light.question))
    for (let at = 0; at < asked.token.length; at += 7) {
      const other = asked.token[at] === 'A' ? 'B' : 'A'
      await refused(asked, right, { token: asked.token.slice(0, at) + other + asked.token.slice(at + 1) })
    }
    await refused(asked, right, { token: '' })
    // None of these used it up.
    expect(await answer(asked, right)).toEqual({ kind: 'passed' })
    expect(await answer(light, solveByReading(light.question), { hashes: 0 })).toEqual({ kind: 'passed' })

    const late = ask(0)
    clock.advance(300_001)
    await refused(late, solveByReading(late.question), { hashes: 0 })
  })

  test('without Redis it is closed', async () => {
    const gone = await startTestRedis()
    const connection = await connectRedis({ url: gone.url })
    await gone.stop()
    const burn = createBurner(connection, clock)
    const captcha = questionCaptcha({ secret: SECRET, speakers, clock, nonces, burn, proofOfWork })
    const asked = captcha.issue({ ...MINE, language: 'en', hashes: 0 }) as Asked
    const reply = { response: solveByReading(asked.question), token: asked.token }
    expect(await captcha.verify({ ...MINE, language: 'en', hashes: 0, ip: '', answer: reply })).toMatchObject(
      {
        kind: 'unavailable',
      },
    )
    await connection.close()
  })

  test('a question in German takes its answer in German', async () => {
    const asked = ask(0, MINE, 'de')
    expect(asked.question).toMatch(/^(Wie|Was|Welche) /)
    expect(await answer(asked, 'zebra', { hashes: 0 })).toMatchObject({ kind: 'failed' })
    const numbers = speakers.de('questions.numbers').split(', ')
    for (;;) {
      const sum = ask(0, MINE, 'de')
      const [, a = '', b = ''] = /^Wie viel ist (\S+) plus (\S+)\?$/.exec(sum.question) ?? []
      if (a === '') continue
      const word = numbers[numbers.indexOf(a) + numbers.indexOf(b)] ?? ''
      expect(await answer(sum, word.toUpperCase(), { hashes: 0 })).toEqual({ kind: 'passed' })
      break
    }
  })

  test('what is typed is forgiven what does not matter', () => {
    const { en, de, fr, ja, ar } = speakers
    for (const typed of ['12', 'twelve', ' Twelve! ', 'It is twelve', "it's 12".replace("'", '')])
      expect(normalise(en, typed)).toBe('12')
    expect(normalise(en, 'The  Horse.')).toBe('horse')
    expect(normalise(en, 'an apple')).toBe('apple')
    expect([normalise(de, 'das PFERD'), normalise(de, 'Zwölf'), normalise(de, 'zwolf')]).toEqual([
      'pferd',
      '12',
      '12',
    ])
    expect([normalise(fr, "l'éléphant"), normalise(fr, 'dix-sept')]).toEqual(['l elephant', '17'])
    expect([normalise(ja, '十二'), normalise(ja, '１２'), normalise(ja, 'りんご')]).toEqual([
      '12',
      '12',
      'りんご',
    ])
    expect([normalise(ar, '١٢'), normalise(ar, 'اثنا عشر')]).toEqual(['12', '12'])
  })

  test.each(LANGUAGES)('%s: there are many questions, each with one answer', (language) => {
    const say = speakers[language]
    const words = KINDS.flatMap((kind) => wordsOf(say, kind)).map((word) => normalise(say, word))
    expect(new Set(words).size).toBe(6 * 8)
    const questions = Array.from({ length: 400 }, () =>
      drawQuestion(say, (below) => Math.floor(Math.random() * below)),
    )
    expect(new Set(questions.map(({ question }) => question)).size).toBeGreaterThan(200)
    for (const { question, answer: right } of questions) {
      expect(right).toBe(normalise(say, right))
      if (language === 'en') expect(solveByReading(question)).toBe(right)
      // A word that is asked for stands in the question.
      else if (!/^\d+$/.test(right))
        expect(
          question
            .split(/[:：]/)
            .at(-1)
            ?.split(/[،、,?？؟]/)
            .map((word) => normalise(say, word)),
        ).toContain(right)
    }
  })
})
