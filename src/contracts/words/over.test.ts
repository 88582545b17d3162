import { expect, test } from 'bun:test'
import { english as say } from '../../../test/support/words.ts'
import { status } from '../status.fixture.ts'
import { overFacts, overRules } from './over.ts'

const over = status({ phase: 'sold_out', sold: 100, total: 100, now_serving: 5000, last_position: 4321 })

test('what happened, in numbers: never more served than there were', () => {
  expect(overFacts(say, over)).toEqual([
    ['Units sold', '100 of 100'],
    ['People in line', '4,321'],
    ['People whose turn came', '4,321'],
  ])
  expect(overFacts(say, over, { position: 77 }).at(-1)).toEqual(['Your number', '77'])
  const draw = { commitment: 'ab', secret: null, lobby_size: null, tickets_hash: null }
  // Ended before it was drawn: nobody has a number.
  expect(overFacts(say, { ...over, draw }, { lobby_index: 3 })).toHaveLength(3)
})

test('by which rule', () => {
  expect(overRules(say, over).join('\n')).toMatch(/in order of arrival[^]*Nobody is charged for waiting/)
  const draw = { commitment: 'ab', secret: 'cd', lobby_size: 1, tickets_hash: 'ef' }
  expect(overRules(say, { ...over, draw })[0]).toStartWith('Everybody in the lobby got a number by lot')
  const lanes = { fans: { now_serving: 3, last_position: 20, rate_per_second: 2 } }
  expect(overRules(say, { ...over, lanes })).toContain(
    'Groups with a code of the shop had lines of their own.',
  )
})
