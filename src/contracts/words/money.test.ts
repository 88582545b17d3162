import { expect, test } from 'bun:test'
import { formatCount, formatMoney } from './money.ts'

test('minor units become the currency they are of', () => {
  expect(formatMoney(1999, 'EUR', 'en')).toBe('€19.99')
  expect(formatMoney(5, 'USD', 'en')).toBe('$0.05')
  expect(formatMoney(0, 'USD', 'en')).toBe('$0.00')
})

test('currencies without minor units, and with three digits of them', () => {
  expect(formatMoney(1999, 'JPY', 'en')).toBe('¥1,999')
  expect(formatMoney(1999, 'KWD', 'en').replace(/\s/, ' ')).toBe('KWD 1.999')
})

test('the largest price an operator may set', () => {
  expect(formatMoney(1_000_000_000, 'EUR', 'en')).toBe('€10,000,000.00')
  expect(formatCount(10_000_000, 'en')).toBe('10,000,000')
})
