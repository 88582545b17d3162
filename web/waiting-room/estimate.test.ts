import { expect, test } from 'bun:test'
import { createEstimate } from './estimate.ts'

test('a wait on the screen never grows', () => {
  const estimate = createEstimate()
  expect(estimate.next(100)).toBe(100)
  expect(estimate.next(120)).toBe(100)
  expect(estimate.next(90)).toBe(90)
})

test('a promise that is plainly wrong is taken back, and comes back when it is right', () => {
  const estimate = createEstimate()
  expect(estimate.next(300)).toBe(300)
  expect(estimate.next(451)).toBeNull()
  expect(estimate.next(440)).toBe(300)
  expect(estimate.next(299)).toBe(299)
})

test('where nobody can know there is none; only a pause of the operator starts afresh', () => {
  const estimate = createEstimate()
  expect(estimate.next(60)).toBe(60)
  expect(estimate.next(null)).toBeNull()
  expect(estimate.next(100)).toBe(60)
  expect(estimate.next(null, true)).toBeNull()
  expect(estimate.next(500)).toBe(500)
})
