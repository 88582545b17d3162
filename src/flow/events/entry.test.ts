import { describe, expect, test } from 'bun:test'
import type { DomainEvent } from '../../contracts/events.ts'
import { parseDelivery, parseEntry, toFields } from './entry.ts'

const base = {
  version: 1,
  order_id: '0192f1c0-0000-7000-8000-000000000001',
  user_id: 'auth0|a b:c',
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

describe('an outbox entry', () => {
  test('is read back as it was written', () => {
    expect(parseEntry(toFields({ ...created }))).toEqual(created)
    expect(parseEntry(toFields({ ...restocked }))).toEqual(restocked)
  })

  test('may have fields that a newer writer added', () => {
    expect(parseEntry([...toFields({ ...restocked }), 'colour', 'red'])).toEqual(restocked)
  })

  const without = (name: string) => {
    const fields = toFields({ ...created })
    const at = fields.indexOf(name)
    return fields.toSpliced(at, 2)
  }
  test.each(Object.keys(created))('is none without %s', (name) => {
    expect(parseEntry(without(name))).toBeUndefined()
  })

  const bad: Record<string, readonly string[]> = {
    type: ['', 'Created', 'orderCreated'],
    version: ['2', '1.0', ''],
    order_id: [''],
    user_id: [''],
    item_id: ['', 'TV', 'a{b}', '../x'],
    quantity: ['0', '-1', '1.5', '1e9', '', ' 1', 'two', '9007199254740993'],
    timestamp: ['-1', 'now', '01'],
    amount: ['-1', '1.5', 'NaN'],
    currency: ['eur', 'EURO', ''],
    claim_seq: ['0', '-1'],
    pay_by: ['', 'Infinity'],
    hold_expires_at: ['', '0x10'],
  }
  const cases = Object.entries(bad).flatMap(([name, values]) => values.map((value) => [name, value] as const))
  test.each(cases)('is none with %s %p', (name, value) => {
    expect(parseEntry([...without(name), name, value])).toBeUndefined()
  })

  test('is none with a field twice or one without a value', () => {
    expect(parseEntry([...toFields({ ...created }), 'quantity', '1'])).toBeUndefined()
    expect(parseEntry([...toFields({ ...created }), 'colour'])).toBeUndefined()
    expect(parseEntry([])).toBeUndefined()
  })

  test('is none in the outbox of another item', () => {
    const fields = toFields({ ...restocked })
    expect(parseDelivery({ owner: 'tv', outbox_id: '1-0', fields })?.event).toEqual(restocked)
    expect(parseDelivery({ owner: 'phone', outbox_id: '1-0', fields })).toBeUndefined()
  })
})
