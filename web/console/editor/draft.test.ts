import { describe, expect, test } from 'bun:test'
import { check } from './check.ts'
import { majorUnits, minorUnits, newDraft, newProduct, slug, toLocal, toRequest } from './draft.ts'

const NOW = Date.UTC(2026, 10, 27, 12, 0)
const product = { ...newProduct(), id: 'lamp', name: 'Lamp', price: '19.99', units: '100' }
const good = { ...newDraft(NOW), id: 'friday', name: 'Friday', products: [product] }

describe('what is typed', () => {
  test('a price becomes minor units of its currency, exactly', () => {
    expect(minorUnits('19.99', 'EUR')).toBe(1999)
    expect(minorUnits('0,1', 'EUR')).toBe(10)
    expect(minorUnits('1', 'JPY')).toBe(1)
    expect(minorUnits('1.234', 'KWD')).toBe(1234)
    expect(minorUnits('', 'EUR')).toBeUndefined()
    for (const wrong of ['1.999', '-1', 'abc', '1e3', '1.2.3']) expect(minorUnits(wrong, 'EUR')).toBeNaN()
    expect(minorUnits('1.5', 'JPY')).toBeNaN()
    expect(majorUnits(1999, 'EUR')).toBe('19.99')
    expect(majorUnits(5, 'JPY')).toBe('5')
  })

  test('a name becomes an id', () => {
    expect(slug(' Black Friday: Großer TV-Sale! ')).toBe('black-friday-gro-er-tv-sale')
    expect(slug('Café')).toBe('cafe')
    expect(slug('!!!')).toBe('')
    expect(slug(`${'a'.repeat(59)} b`)).toBe('a'.repeat(59))
  })

  test('a local time goes there and back', () => {
    expect(new Date(toLocal(NOW)).getTime()).toBe(NOW)
  })
})

describe('the check', () => {
  test('the defaults are a good sale once name and product are typed', () => {
    expect(check(good, NOW)).toEqual({})
    expect(toRequest(good)).toMatchObject({
      ...{ rate_per_second: 20, ends_at: null, checkout_cap: null },
      products: [{ amount: 1999, currency: 'EUR', units: 100, per_buyer_limit: 1 }],
    })
  })

  test('an empty form says at each field what is missing', () => {
    expect(check(newDraft(NOW), NOW)).toMatchObject({
      ...{ id: 'Lower-case letters, digits and hyphens, at most 64.', name: 'Fill this in.' },
      'products.0.name': 'Fill this in.',
      'products.0.amount': 'A price such as 19.99.',
      'products.0.units': 'Fill this in.',
    })
  })

  test('what is out of range or no number is told in words', () => {
    const wrong = check({ ...good, rate_per_second: '0', checkout_cap: 'many', gift_value: '200' }, NOW)
    expect(wrong).toEqual({
      rate_per_second: 'At least 0.001.',
      checkout_cap: 'A number without thousands separators, such as 1000.',
      'oversell.gift_card': 'A percentage from 1 to 100, or an amount such as 5.00.',
    })
    expect(check({ ...good, opens_at: '' }, NOW)).toEqual({ opens_at: 'Choose a date and a time.' })
    expect(check({ ...good, products: [] }, NOW)).toEqual({ products: 'Add a product.' })
  })

  test('what does not fit together is told at one of the fields', () => {
    const early = toLocal(NOW - 3_600_000)
    expect(check({ ...good, ends_at: early }, NOW)).toEqual({ ends_at: 'It must end after it opens.' })
    expect(check({ ...good, hold_s: '10' }, NOW)).toHaveProperty('hold_s')
    expect(check({ ...good, products: [product, product] }, NOW)).toHaveProperty('products')
    expect(check({ ...good, lobby_opens_at: toLocal(NOW + 1e9) }, NOW)).toHaveProperty('lobby_opens_at')
  })
})
