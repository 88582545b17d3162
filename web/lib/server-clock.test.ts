import { expect, test } from 'bun:test'
import { createServerClock } from './server-clock.ts'

test('runs on server time from the first answer on, whatever the own clock says', () => {
  let ticks = 100
  const clock = createServerClock(
    () => ticks,
    () => 5,
  )
  expect(clock.now()).toBe(5)
  clock.observe(1_000_000)
  ticks += 2500
  expect(clock.now()).toBe(1_002_500)
})

test('an answer that was a second old does not turn the clock back', () => {
  const clock = createServerClock(
    () => 0,
    () => 0,
  )
  clock.observe(10_000)
  clock.observe(9000)
  expect(clock.now()).toBe(10_000)
})

test('catches up after the machine slept and its ticks stood still', () => {
  const clock = createServerClock(
    () => 0,
    () => 0,
  )
  clock.observe(10_000)
  clock.observe(70_000)
  expect(clock.now()).toBe(70_000)
})
