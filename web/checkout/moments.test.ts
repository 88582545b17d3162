import { expect, test } from 'bun:test'
import { momentPassed } from './moments.ts'

test('the time is said a few times, each once, the last one where several have passed unseen', () => {
  const said: number[] = []
  for (let left = 300; left > 0; left--) said.push(...[momentPassed(left + 1, left) ?? []].flat())
  expect(said).toEqual([120, 60, 30, 10])
  expect(momentPassed(300, 300)).toBeUndefined()
  expect(momentPassed(300, 25)).toBe(30)
  expect(momentPassed(25, 24)).toBeUndefined()
})
