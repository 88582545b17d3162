import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { oddities } from './headers.ts'
import { assess, type Evidence, RULES } from './risk.ts'
import { GuardSettings } from './settings.ts'
import { NO_EVIDENCE } from './visitors.ts'

const thresholds = GuardSettings.parse({}).risk
const evidence = (change: Partial<Evidence> = {}): Evidence => ({ ...NO_EVIDENCE, ...change })
const joins = (change: Partial<Evidence['joins']>): Evidence['joins'] => ({ ...NO_EVIDENCE.joins, ...change })
const risk = (change: Partial<Evidence>) => assess(evidence(change), thresholds)
const reasons = (change: Partial<Evidence>) => risk(change).reasons.map(({ reason }) => reason)

describe('who is what', () => {
  test.each<[string, Partial<Evidence>, string]>([
    ['nobody in particular', {}, 'low'],
    ['a household', { joins: joins({ address: 6, network: 12, device: 1, fingerprint: 2 }) }, 'low'],
    ['a browser that retried', { joins: joins({ address: 3, network: 3, device: 3 }) }, 'low'],
    ['a client that is no browser', { oddities: ['no_user_agent', 'no_accept_language'] }, 'low'],
    ['a campus', { joins: joins({ address: 90, network: 120, fingerprint: 30 }) }, 'low'],
    [
      'a mobile carrier, all with the same phone',
      { joins: joins({ address: 255, network: 255, fingerprint: 255 }), challenges: 255 },
      'raised',
    ],
    ['one who works around the browser', { oddities: ['automation_user_agent'] }, 'raised'],
    [
      'a carrier whose customers enter like all others',
      { joins: joins({ address: 255, network: 255 }), enters: { address: 100, perJoin: 0.4 } },
      'raised',
    ],
    [
      'a block of addresses that joins and never comes',
      { joins: joins({ address: 200, network: 255 }), enters: { address: 0, perJoin: 0.4 } },
      'anomalous',
    ],
    [
      'a script from a data centre',
      { joins: joins({ network: 255, device: 1 }), oddities: ['no_user_agent', 'no_accept_language'] },
      'anomalous',
    ],
    [
      'a farm',
      {
        joins: joins({ network: 255, address: 200, device: 12 }),
        oddities: ['automation_user_agent'],
      },
      'bot',
    ],
    [
      'a farm of graphics cards',
      { joins: joins({ network: 255 }), work: { tried: 9_000_000, elapsed_ms: 40 } },
      'bot',
    ],
  ])('%s', (_, given, level) => expect(risk(given).level).toBe(level as never))
})

describe('the rules', () => {
  test.each<[string, Partial<Evidence>, Partial<Evidence>]>([
    [
      'joins_from_one_place',
      { joins: joins({ address: 40 }) },
      { joins: joins({ address: 20, network: 60 }) },
    ],
    ['joins_from_one_place', { joins: joins({ network: 120 }) }, {}],
    ['joins_by_fingerprint', { joins: joins({ fingerprint: 60 }) }, { joins: joins({ fingerprint: 20 }) }],
    ['joins_by_device', { joins: joins({ device: 5 }) }, { joins: joins({ device: 2 }) }],
    ['challenges_without_joins', { challenges: 100 }, { challenges: 100, joins: joins({ address: 80 }) }],
    [
      'joins_without_enters',
      { joins: joins({ address: 20 }), enters: { address: 0, perJoin: 0.5 } },
      { joins: joins({ address: 20 }), enters: { address: 9, perJoin: 0.5 } },
    ],
    // While nobody has been let in, nobody is late.
    [
      'joins_without_enters',
      { joins: joins({ address: 20 }), enters: { address: 0, perJoin: 0.5 } },
      { joins: joins({ address: 20 }), enters: { address: 0, perJoin: 0 } },
    ],
    [
      'solved_faster_than_a_browser',
      { work: { tried: 5_000_000, elapsed_ms: 50 } },
      { work: { tried: 5_000_000, elapsed_ms: 1000 } },
    ],
    ['no_user_agent', { oddities: ['no_user_agent'] }, {}],
  ])('%s', (reason, guilty, innocent) => {
    expect(reasons(guilty)).toContain(reason)
    expect(reasons(innocent)).not.toContain(reason)
  })

  test('what people share is never more than raised', () => {
    const count = fc.integer({ min: 0, max: 255 })
    fc.assert(
      fc.property(count, count, count, (address, network, fingerprint) => {
        const { level } = risk({ joins: joins({ address, network, fingerprint }) })
        expect(['low', 'raised']).toContain(level)
      }),
    )
  })

  test('more of the same is never less suspicious, and the reasons make up the score', () => {
    const count = fc.integer({ min: 0, max: 255 })
    const counted = fc.record({ address: count, network: count, device: count, fingerprint: count })
    fc.assert(
      fc.property(counted, fc.constantFrom('address', 'network', 'device', 'fingerprint'), (some, name) => {
        const before = risk({ joins: some })
        const after = risk({ joins: { ...some, [name]: some[name] + 50 } })
        expect(after.score).toBeGreaterThanOrEqual(before.score)
        const sum = after.reasons.reduce((total, { points }) => total + points, 0)
        expect(after.score).toBe(Math.min(100, sum))
        const points = after.reasons.map((one) => one.points)
        expect(points).toEqual(points.toSorted((a, b) => b - a))
      }),
    )
  })

  test('thresholds are settings, and so is the whole score', () => {
    const some = evidence({ oddities: ['no_user_agent'] })
    expect(assess(some, { ...thresholds, raised: 10 }).level).toBe('raised')
    expect(assess(some, { ...thresholds, raised: 5, anomalous: 10 }).level).toBe('anomalous')
    expect(assess(some, { ...thresholds, raised: 5, anomalous: 10, bot: 15 }).level).toBe('bot')
    expect(assess(some, { ...thresholds, on: false, raised: 1, anomalous: 1, bot: 1 })).toMatchObject({
      ...{ level: 'low', score: 15 },
    })
  })

  test('no rule stands twice', () =>
    expect(new Set(RULES.map(({ reason }) => reason)).size).toBe(RULES.length))
})

describe('headers', () => {
  const CHROME =
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'
  const chrome = {
    'user-agent': CHROME,
    'accept-language': 'de',
    'sec-fetch-site': 'same-origin',
    'sec-ch-ua': '"Chromium";v="141"',
    'sec-ch-ua-mobile': '?0',
    'sec-ch-ua-platform': '"Windows"',
  }
  const phone = {
    'user-agent':
      'Mozilla/5.0 (iPhone; CPU iPhone OS 15_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.6 Mobile/15E148 Safari/604.1',
    'accept-language': 'en-GB',
  }
  const without = (name: string) => Object.fromEntries(Object.entries(chrome).filter(([key]) => key !== name))
  test.each<[string, Record<string, string>, string[]]>([
    ['Chrome', chrome, []],
    ['an iPhone too old for fetch metadata', phone, []],
    [
      'Firefox',
      {
        'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
        ...{ 'accept-language': 'fr', 'sec-fetch-site': 'same-origin' },
      },
      [],
    ],
    ['Chrome in disguise', without('sec-fetch-site'), ['fetch_metadata_missing']],
    ['nothing', {}, ['no_user_agent', 'no_accept_language']],
    ['curl', { 'user-agent': 'curl/8.5.0' }, ['automation_user_agent', 'no_accept_language']],
    [
      'a browser without a head',
      { ...chrome, 'user-agent': CHROME.replace('Chrome/', 'HeadlessChrome/') },
      ['automation_user_agent'],
    ],
    ['another site', { ...chrome, 'sec-fetch-site': 'cross-site' }, ['fetch_metadata_foreign']],
    ['a telephone that is a computer', { ...chrome, 'sec-ch-ua-mobile': '?1' }, ['client_hints_contradict']],
    ['two systems', { ...chrome, 'sec-ch-ua-platform': '"macOS"' }, ['client_hints_contradict']],
    ['a system of its own', { ...chrome, 'sec-ch-ua-platform': '"Haiku"' }, []],
  ])('%s', (_, headers, expected) => expect(oddities(new Headers(headers))).toEqual(expected as never))
})
