import { expect, test } from 'bun:test'
import type { KafkaRecord } from '../../platform/kafka.ts'
import { createWatermark } from './watermark.ts'

const record = (offset: number, partition = 0): KafkaRecord => ({
  ...{ topic: 'orders', key: '', value: '', leaderEpoch: 0, generation: 1 },
  ...{ partition, offset: BigInt(offset) },
})
const committable = (watermark: ReturnType<typeof createWatermark>) =>
  watermark.committable().map(({ partition, offset }) => [partition, Number(offset)])

test('commits up to the last that was passed, of each partition, and never past one that is held', () => {
  const watermark = createWatermark()
  watermark.hold('waits', record(7))
  watermark.pass([record(5), record(6), record(7), record(8), record(3, 1)])
  expect(committable(watermark)).toEqual([
    [0, 6],
    [1, 3],
  ])
  watermark.release('waits')
  expect(committable(watermark)).toEqual([
    [0, 8],
    [1, 3],
  ])
})

test('what is held in a batch under way does not commit the records of that batch before it', () => {
  const watermark = createWatermark()
  watermark.hold('of the next batch', record(15))
  watermark.pass([record(8), record(9)])
  expect(committable(watermark)).toEqual([[0, 9]])
})

test('commits nothing while the first of all is held', () => {
  const watermark = createWatermark()
  watermark.hold('waits', record(0))
  watermark.pass([record(0), record(1)])
  expect(committable(watermark)).toEqual([])
})
