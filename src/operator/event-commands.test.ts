import { expect, test } from 'bun:test'
import { linesOf } from './event-commands.ts'

const copy = { leader: 1, copies: 3, inSync: 3 }

test('the events command says who reads what, what lacks a copy, and who has nothing to read', () => {
  const members = [
    { name: 'a', partitions: [0] },
    { name: 'b', partitions: [] },
  ]
  const partitions = [
    { ...copy, partition: 0, behind: 2 },
    { ...copy, partition: 1, behind: 3, inSync: 2 },
  ]
  expect(linesOf({ members, partitions })).toEqual([
    'doorbuster.orders: 5 events behind, 2 partitions, 2 order workers',
    '  0: 2 behind, read by a, led by broker 1, 3 of 3 copies in sync',
    '  1: 3 behind, read by nobody, led by broker 1, 2 of 3 copies in sync',
    '1 partition without all copies: a broker is away or behind',
    'b without a partition: give KAFKA_PARTITIONS at least as many as there are workers',
  ])
})
