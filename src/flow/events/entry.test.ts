import { describe, expect, test } from 'bun:test'
import type { DomainEvent } from '../../contracts/events.ts'
import { parseDelivery, parseEntry, toFields } from './entry.ts'

const base = {
  version: 1,
  order_id: '0192f1c0-0000-7000-8000-000000000001',
  user_id: 'auth0|a b:c "\\ é',
  item_id: 'tv',
  sale_id: 'black-friday',
  quantity: 2,
  timestamp: 1_700_000_000_000,
} as const
const restocked: DomainEvent = { type: 'Restocked', ...base }
const created: DomainEvent = {
  type: 'OrderCreated',
  ...base,
  amount: 0,
  currency: 'EUR',
  claim_seq: 1,
  pay_by: 1_700_000_300_000,
  hold_expires_at: 1_700_000_600_000,
}

type Fields = Readonly<Record<string, unknown>>
const asJson = (event: Fields) => ['event', JSON.stringify(event)]
/** As entries were before they had one field, and as dead letters are put back. */
const byField = (event: Fields) => Object.entries(event).flatMap(([name, value]) => [name, String(value)])

describe('an outbox entry', () => {
  test('is read back as it was written', () => {
    expect(parseEntry(toFields(created))).toEqual(created)
    expect(parseEntry(toFields(restocked))).toEqual(restocked)
  })

  test('is none in the outbox of another item', () => {
    const fields = toFields(restocked)
    expect(parseDelivery({ owner: 'tv', outbox_id: '1-0', fields })?.event).toEqual(restocked)
    expect(parseDelivery({ owner: 'phone', outbox_id: '1-0', fields })).toBeUndefined()
  })

  test.each(['', '{', 'null', '[]', '1', '"text"'])('is none with %p for its event', (text) => {
    expect(parseEntry(['event', text])).toBeUndefined()
  })

  test('is none with a field twice or one without a value', () => {
    for (const fields of [byField({ ...created }), toFields(created)]) {
      expect(parseEntry([...fields, ...fields.slice(-2)])).toBeUndefined()
      expect(parseEntry([...fields, 'colour'])).toBeUndefined()
    }
    expect(parseEntry([])).toBeUndefined()
  })
})

describe.each([
  ['as one field', asJson],
  ['as a field each', byField],
])('an event %s', (_, written) => {
  test('is read', () => {
    expect(parseEntry(written({ ...created }))).toEqual(created)
    expect(parseEntry(written({ ...restocked }))).toEqual(restocked)
  })

  test('may have fields that a newer writer added', () => {
    expect(parseEntry(written({ ...restocked, colour: 'red' }))).toEqual(restocked)
  })

  const without = (name: string) =>
    Object.fromEntries(Object.entries(created).filter(([field]) => field !== name))
  test.each(Object.keys(created))('is none without %s', (name) => {
    expect(parseEntry(written(without(name)))).toBeUndefined()
  })

  const bad: Record<string, readonly unknown[]> = {
    type: ['', 'Created', 'orderCreated'],
    version: [2, '1.0', ''],
    order_id: [''],
    user_id: [''],
    item_id: ['', 'TV', 'a{b}', '../x'],
    quantity: [0, -1, 1.5, '1e9', '', ' 1', 'two', 9007199254740992, '9007199254740993'],
    timestamp: [-1, 'now', '01'],
    amount: [-1, 1.5, 'NaN'],
    currency: ['eur', 'EURO', ''],
    claim_seq: [0, -1],
    pay_by: ['', 'Infinity'],
    hold_expires_at: ['', '0x10'],
  }
  const cases = Object.entries(bad).flatMap(([name, values]) => values.map((value) => [name, value] as const))
  test.each(cases)('is none with %s %p', (name, value) => {
    expect(parseEntry(written({ ...without(name), [name]: value }))).toBeUndefined()
  })
})

test.each(['order_id', 'user_id', 'item_id', 'sale_id', 'currency', 'type'])(
  'an event whose %s is no text is none',
  (name) => {
    for (const value of [1, null, true, ['tv'], { toString: 'tv' }])
      expect(parseEntry(asJson({ ...created, [name]: value }))).toBeUndefined()
  },
)
