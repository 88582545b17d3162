import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import type { Report } from '../../sim/report.ts'
import { projectPath } from '../../src/platform/project.ts'
import { until } from '../setup/started.ts'
import { testKafka } from '../support/kafka.ts'
import { type RunningSystem, startSystem } from '../support/system.ts'

// kill -9 of each worker, three times in the middle of a rush, leaves the verdict as it is.

const kafka = await testKafka()

async function rush(system: RunningSystem, atWork: () => Promise<void>) {
  const flags = ['--data-dir', system.dataDir, '--buyers', '800', '--units', '60', '--pay', '0.8', '--json']
  const crowd = spawn(process.execPath, [projectPath('src/doorbuster.ts'), 'rush', ...flags])
  let [json, progress] = ['', '']
  crowd.stdout.on('data', (chunk: Buffer) => (json += chunk.toString()))
  crowd.stderr.on('data', (chunk: Buffer) => (progress += chunk.toString()))
  const exit = new Promise<number | null>((resolve) => crowd.once('close', resolve))
  await until('the crowd to start', () => progress.includes('buyers go for sale') || crowd.exitCode !== null)
  await atWork()
  const code = await exit
  const report = JSON.parse(json.trim().split('\n').at(-1) ?? '') as Report
  return { code, report, progress }
}

/** Kills a process as often as told, each time when it is back at work. */
async function killRepeatedly(system: RunningSystem, name: string, times: number): Promise<number> {
  let killed = 0
  let last: number | undefined
  while (killed < times) {
    const pid = await until(`a new ${name}`, () => {
      const current = system.run().processes[name]
      return current !== undefined && current !== last && current
    })
    // Long enough for it to be at work again, short enough for the rush to be under way.
    await Bun.sleep(killed === 0 ? 300 : 900)
    process.kill(pid, 'SIGKILL')
    ;[last, killed] = [pid, killed + 1]
  }
  return killed
}

function suite(profile: 'embedded' | 'full', roles: readonly string[]) {
  let system: RunningSystem
  beforeAll(async () => {
    const env = profile === 'full' ? { KAFKA_BROKERS: (kafka?.brokers ?? []).join(',') } : {}
    system = await startSystem({ profile, env })
  }, 120_000)
  afterAll(async () => {
    expect(await system.stop()).toBe(0)
  }, 30_000)

  for (const role of roles)
    test(`kill -9 of the ${role}`, async () => {
      const { code, report, progress } = await rush(system, async () => {
        expect(await killRepeatedly(system, role, 3)).toBe(3)
      })
      const { oversold, lost, duplicates, pending, held, paid, units } = report
      const broken = report.invariants.filter(({ result }) => result === 'broken')
      expect({ code, broken, oversold, lost, duplicates, pending, held, progress }).toEqual({
        code: 0,
        broken: [],
        oversold: 0,
        lost: 0,
        duplicates: 0,
        pending: 0,
        held: 0,
        progress,
      })
      expect(paid).toBeGreaterThanOrEqual(units * 0.8)
    }, 120_000)
}

describe('embedded profile', () => suite('embedded', ['order-worker', 'cleanup']))
describe.skipIf(kafka === undefined)('full profile', () =>
  suite('full', ['relay', 'order-worker', 'cleanup']),
)
