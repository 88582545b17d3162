import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { outcomeOf, testCards } from './cards.ts'
import { Params, decodeForm } from './form.ts'
import { luhn } from './methods.ts'
import { allowedFrom, transitions } from './states.ts'
import type { IntentStatus } from './types.ts'

describe('form decoding', () => {
  test('nests by brackets, appends by empty ones', () => {
    const form = decodeForm('a[b][c]=1&a[b][d]=x%20y&e[]=1&e[]=2&f=&g[0]=z')
    expect(JSON.parse(JSON.stringify(form))).toEqual({
      a: { b: { c: '1', d: 'x y' } },
      e: { 0: '1', 1: '2' },
      f: '',
      g: { 0: 'z' },
    })
  })

  test('cannot reach a prototype', () => {
    const form = decodeForm('__proto__[polluted]=1&a[constructor][prototype][polluted]=1')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(() => new Params(form).refuseOthers()).toThrow('Received unknown parameter: __proto__')
  })

  test('gives back what was written, however deep', () => {
    const name = fc.stringMatching(/^[a-z]{1,5}$/)
    const { tree } = fc.letrec((tie) => ({
      tree: fc.dictionary(name, fc.oneof({ maxDepth: 3 }, fc.string(), tie('tree')), {
        minKeys: 1,
        maxKeys: 3,
      }),
    }))
    const write = (value: unknown, path: string): [string, string][] =>
      typeof value === 'string'
        ? [[path, value]]
        : Object.entries(value as object).flatMap(([key, inner]) =>
            write(inner, path ? `${path}[${key}]` : key),
          )
    fc.assert(
      fc.property(tree, (value) => {
        const text = new URLSearchParams(write(value, '')).toString()
        expect(JSON.parse(JSON.stringify(decodeForm(text)))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})

describe('test cards', () => {
  test('have valid numbers and are listed once', () => {
    for (const card of testCards) expect([card.number, luhn(card.number)]).toEqual([card.number, true])
    const names = testCards.flatMap((card) => [card.number, ...card.method_ids])
    expect(new Set(names).size).toBe(names.length)
  })

  test('the check digit catches every single wrong digit', () => {
    const number = '4242424242424242'
    for (let i = 0; i < number.length; i++) {
      for (let digit = 0; digit < 10; digit++) {
        const changed = number.slice(0, i) + digit + number.slice(i + 1)
        expect(luhn(changed)).toBe(changed === number)
      }
    }
  })

  test('a number that is none of them is declined as a live card', () => {
    expect(outcomeOf('4111111111111111')).toMatchObject({ decline: { decline_code: 'test_mode_live_card' } })
  })
})

describe('the states', () => {
  const statuses = Object.keys(transitions) as IntentStatus[]
  const leads = (from: IntentStatus) => Object.values(transitions[from])

  test('are all reachable but processing, which cards never enter', () => {
    const seen = new Set<IntentStatus>(['requires_payment_method'])
    for (const status of seen) for (const to of leads(status)) seen.add(to)
    expect(statuses.filter((status) => !seen.has(status))).toEqual(['processing'])
  })

  test('end in succeeded or canceled, and every other one can be cancelled', () => {
    expect(statuses.filter((status) => leads(status).length === 0)).toEqual(['succeeded', 'canceled'])
    expect(allowedFrom('cancel')).toHaveLength(statuses.length - 2)
  })

  test('money is captured only from an authorisation', () => {
    expect(allowedFrom('capture')).toEqual(['requires_capture'])
  })
})
