import { expect, test } from 'bun:test'
import { decimal, wholeNumber } from './typed.ts'

test('a thousand with a separator is not taken for one', () => {
  expect(wholeNumber('1000')).toBe(1000)
  expect(decimal('0,5')).toBe(0.5)
  expect(decimal(' 0.125 ')).toBe(0.125)
  for (const text of ['1.000', '1,000', '1 000', '1e3', '-1', 'x']) expect(wholeNumber(text)).toBeNaN()
  for (const text of ['1,000', '1 000', '1e3', '-1', '.5', 'x']) expect(decimal(text)).toBeNaN()
})

test('nothing typed is nothing', () => {
  expect([wholeNumber(' '), decimal('')]).toEqual([undefined, undefined])
})
