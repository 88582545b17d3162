import { expect, test } from 'bun:test'
import { scaleShards } from '../../sim/scale/shards.ts'

// `npm run scale -- shards`, short: a fourth PostgreSQL server takes its share while people buy.

test('a fourth server is added and filled during a rush, and nothing is broken', async () => {
  const said: string[] = []
  const { findings, verdicts, steps } = await scaleShards(
    { seed: 4, buyers: 160, units: 160, seconds: 30, json: false, keep: false },
    { say: (line) => said.push(line), signal: new AbortController().signal },
  )
  expect(findings.filter(({ ok }) => !ok)).toEqual([])
  expect(findings.map(({ name }) => name)).toEqual(['each_on_one_server', 'sold_meanwhile', 'short_fence'])
  expect(verdicts.filter(({ result }) => result === 'broken')).toEqual([])
  expect(verdicts.filter(({ result }) => result === 'held').length).toBeGreaterThan(8)
  expect(steps).toHaveLength(6)
}, 240_000)
