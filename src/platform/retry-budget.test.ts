import { expect, test } from 'bun:test'
import { createRetryBudget } from './retry-budget.ts'

test('while everything fails, retries are a share of the calls', () => {
  const budget = createRetryBudget({ share: 0.1, most: 10 })
  let retries = 0
  for (let call = 0; call < 10_000; call += 1) {
    budget.called()
    // Everybody would like to try three times more.
    for (let attempt = 0; attempt < 3; attempt += 1) if (budget.take()) retries += 1
  }
  expect(retries).toBeWithin(990, 1011)
})

test('a lone failure is always tried again, and what nobody used is not saved up for ever', () => {
  const budget = createRetryBudget({ share: 0.1, most: 3 })
  for (let call = 0; call < 1000; call += 1) budget.called()
  expect([1, 2, 3, 4].map(() => budget.take())).toEqual([true, true, true, false])
  for (let call = 0; call < 10; call += 1) budget.called()
  expect([1, 2].map(() => budget.take())).toEqual([true, false])
})
