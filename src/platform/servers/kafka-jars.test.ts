import { afterAll, describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './kafka-jars.ts'

const folder = await mkdtemp(join(tmpdir(), 'doorbuster-path-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

/** What a start says when only the tools in `folder` are on the PATH. */
function startSays(): string {
  const script = `
    const { ensureKafkaJars } = await import(${JSON.stringify(join(import.meta.dirname, 'kafka-jars.ts'))})
    await ensureKafkaJars(${JSON.stringify(join(folder, 'libs'))}, () => undefined).catch((error) => {
      process.stdout.write(error.name + ': ' + error.message)
    })`
  const env = { PATH: folder, HOME: folder }
  return spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', env }).stdout
}

describe('a missing tool', () => {
  test('Java: one line that says what to do', () => {
    const line = startSays()
    expect(line).toMatch(/^SettingError: Kafka needs Java 17 or newer\. Install it .* KAFKA_BROKERS/)
    expect(line).not.toContain('\n')
  })

  const java = Bun.which('java')
  test.skipIf(java === null)('Maven: one line that says what to do', async () => {
    await symlink(java ?? '', join(folder, 'java'))
    const line = startSays()
    expect(line).toMatch(/^SettingError: Kafka's jars need Maven\. Install it .* KAFKA_BROKERS/)
    expect(line).not.toContain('\n')
  })
})

test('a tool that does not exist has no exit code', async () => {
  expect((await run('no-such-tool', [])).code).toBeUndefined()
})
