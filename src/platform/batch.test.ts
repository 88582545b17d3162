import { expect, test } from 'bun:test'
import { createBatcher } from './batch.ts'
import { withUrgency } from './deadline.ts'
import { until } from '../../test/support/events.ts'
import { Overloaded } from './errors.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** A batcher whose `send` doubles what it gets and notes each batch. */
function doubling(max?: number) {
  const batches: number[][] = []
  const send = async (batch: readonly number[]) => {
    batches.push([...batch])
    return batch.map((one) => one * 2)
  }
  return { batches, ask: createBatcher(send, max) }
}

test('requests of one turn travel together, in order, and each gets its own answer', async () => {
  const { batches, ask } = doubling()
  expect(await Promise.all([3, 1, 2].map(ask))).toEqual([6, 2, 4])
  expect(batches).toEqual([[3, 1, 2]])
})

/** A batcher whose answers are given by hand. */
function answeredByHand(max?: number) {
  const batches: number[][] = []
  const answers: (() => void)[] = []
  const ask = createBatcher(async (batch: readonly number[]) => {
    batches.push([...batch])
    await new Promise<void>((resolve) => answers.push(resolve))
    return batch
  }, max)
  return { batches, answers, ask }
}

test('what comes while an answer is awaited is collected until it is there, or until there is a whole batch', async () => {
  const { batches, answers, ask } = answeredByHand(3)
  const asked: Promise<number>[] = []
  for (const n of [1, 2, 3]) {
    asked.push(ask(n))
    await turn()
  }
  expect(batches).toEqual([[1]])
  asked.push(ask(4))
  await turn()
  expect(batches).toEqual([[1], [2, 3, 4]])
  asked.push(ask(5))
  // A later batch may be answered first.
  answers[1]?.()
  expect(await Promise.all(asked.slice(1, 4))).toEqual([2, 3, 4])
  answers[0]?.()
  await until(() => batches.length === 3)
  expect(batches[2]).toEqual([5])
  answers[2]?.()
  expect(await Promise.all(asked)).toEqual([1, 2, 3, 4, 5])
})

test('nobody waits long for answers that do not come', async () => {
  const { batches, ask } = answeredByHand()
  void ask(1)
  await turn()
  void ask(2)
  await turn()
  expect(batches).toEqual([[1]])
  await until(() => batches.length === 2)
  expect(batches[1]).toEqual([2])
})

test('a request made by microtasks of the same turn still travels with it', async () => {
  const { batches, ask } = doubling()
  await Promise.all([ask(1), Promise.resolve().then(() => ask(2))])
  expect(batches).toEqual([[1, 2]])
})

test('more than `max` are split, order kept over the parts', async () => {
  const { batches, ask } = doubling(4)
  const all = Array.from({ length: 10 }, (_, index) => index)
  expect(await Promise.all(all.map(ask))).toEqual(all.map((one) => one * 2))
  expect(batches).toEqual([
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9],
  ])
  const standard = doubling()
  await Promise.all(Array.from({ length: 65 }, (_, index) => standard.ask(index)))
  expect(standard.batches.map(({ length }) => length)).toEqual([64, 1])
})

test('what `send` throws reaches each of its batch and nobody else, and the next batch works', async () => {
  const failure = new Error('lost')
  const ask = createBatcher((batch: readonly number[]) => {
    if (batch.includes(1)) throw failure
    return Promise.resolve(batch)
  }, 2)
  const outcomes = await Promise.allSettled([0, 1, 2, 3].map(ask))
  expect(outcomes).toEqual([
    { status: 'rejected', reason: failure },
    { status: 'rejected', reason: failure },
    { status: 'fulfilled', value: 2 },
    { status: 'fulfilled', value: 3 },
  ])
  expect(await ask(5)).toBe(5)
})

test('too few or too many results are an error for all: nobody may get the answer of another', async () => {
  for (const results of [[], [1], [1, 2, 3]]) {
    const ask = createBatcher(async () => results)
    const outcomes = await Promise.allSettled([ask('a'), ask('b')])
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { message: `batch of 2 got ${results.length} results` },
      })
  }
})

test('only so many are under way; the next is refused, and nothing of it is sent', async () => {
  const sent: number[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const send = createBatcher(
    async (batch: readonly number[]) => {
      sent.push(...batch)
      await promise
      return batch
    },
    2,
    3,
  )
  const asked = [1, 2, 3].map((n) => send(n))
  expect(await send(4).catch((error: unknown) => error)).toBeInstanceOf(Overloaded)
  resolve()
  expect(await Promise.all(asked)).toEqual([1, 2, 3])
  expect(await send(5)).toBe(5)
  expect(sent).toEqual([1, 2, 3, 5])
})

test('whoever is not waited for any more is not sent', async () => {
  const sent: number[] = []
  const send = createBatcher(async (batch: readonly number[]) => {
    sent.push(...batch)
    return batch
  })
  const late = withUrgency({ until: performance.now() - 1, sheddable: true }, () => send(1))
  const other = send(2)
  expect(await late.catch((error: unknown) => error)).toBeInstanceOf(Overloaded)
  expect([await other, sent]).toEqual([2, [2]])
})
