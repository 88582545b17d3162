import { expect, test } from 'bun:test'
import { saleMoment } from './sale-moment.ts'

const sale = { state: 'open' as const, opens_at: 1000, ends_at: 5000 }

test('time moves a sale from before to open to ended', () => {
  expect(saleMoment(sale, 999)).toBe('before')
  expect(saleMoment(sale, 1000)).toBe('open')
  expect(saleMoment(sale, 5000)).toBe('ended')
  expect(saleMoment({ ...sale, ends_at: null }, 1e15)).toBe('open')
})

test('the operator pauses and ends it', () => {
  expect(saleMoment({ ...sale, state: 'paused' }, 2000)).toBe('paused')
  expect(saleMoment({ ...sale, state: 'paused' }, 500)).toBe('before')
  expect(saleMoment({ ...sale, state: 'ended' }, 500)).toBe('ended')
})
