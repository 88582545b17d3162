import { spawn } from 'node:child_process'
import { expect, test } from 'bun:test'
import { INVARIANTS } from '../../sim/audit/invariants.ts'
import type { ChaosReport } from '../../sim/chaos/report.ts'
import { projectPath } from '../../src/platform/project.ts'

// The fault runner as the command line starts it: real servers, real processes, a crowd, and the auditor.

async function chaos(...flags: string[]) {
  const run = spawn(process.execPath, [projectPath('src/doorbuster.ts'), 'chaos', '--json', ...flags])
  let [json, progress] = ['', '']
  run.stdout.on('data', (chunk: Buffer) => (json += chunk.toString()))
  run.stderr.on('data', (chunk: Buffer) => (progress += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => run.once('close', resolve))
  const last = json.trim().split('\n').at(-1) ?? ''
  if (last === '') throw new Error(`no report, exit code ${code}:\n${progress}`)
  return { code, progress, report: JSON.parse(last) as unknown }
}

const SMALL = ['--seed', '7', '--buyers', '60', '--seconds', '2']

test('two faults really happen, and every invariant holds', async () => {
  const { code, report, progress } = await chaos('--faults', 'redis-kill,redis-answers-lost', ...SMALL)
  const { seed, faults, invariants, broken } = report as ChaosReport
  expect({ code, seed, broken, progress }).toEqual({ code: 0, seed: 7, broken: [], progress })
  expect(faults.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
    { name: 'redis-answers-lost', fired: true },
    { name: 'redis-kill', fired: true },
  ])
  expect(invariants.map(({ name }) => name)).toEqual(INVARIANTS.map(({ name }) => name))
  expect(invariants.filter(({ ok }) => ok).length).toBeGreaterThan(10)
}, 240_000)

test('a planted bug is found', async () => {
  const { code, report } = await chaos('--mutations', 'stock-not-checked', ...SMALL)
  expect({ code, report }).toMatchObject({
    code: 0,
    report: { seed: 7, mutations: [{ name: 'stock-not-checked', caught: true }], missed: [] },
  })
}, 240_000)
