import { spawn } from 'node:child_process'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { projectPath } from '../../src/platform/project.ts'
import { type KafkaServer, startKafka, stopLeftoverKafka } from '../../src/platform/servers/kafka.ts'
import { isRunning } from '../../src/platform/servers/os-process.ts'

/** Shared by all test runs: the jars are fetched once. */
export const TEST_KAFKA_DIR = projectPath('.data/test-kafka')
export const TEST_KAFKA_JARS = join(TEST_KAFKA_DIR, 'libs')

let shared: Promise<KafkaServer | undefined> | undefined

/**
 * A real broker, one for the whole test process, started at the first call with empty logs. Undefined, after a
 * loud line, where there is none (no Java, no Maven, no network): use `describe.skipIf`. With CI=true that is
 * an error instead.
 */
export function testKafka(): Promise<KafkaServer | undefined> {
  shared ??= start()
  return shared
}

async function start(): Promise<KafkaServer | undefined> {
  try {
    await sweep()
    const dataDir = join(TEST_KAFKA_DIR, `run-${process.pid}`)
    const server = await startKafka({ dataDir, jarsDir: TEST_KAFKA_JARS })
    stopWithUs(server.pid)
    return server
  } catch (error) {
    if (process.env['CI'] === 'true') throw error
    process.stderr.write(`\n*** SKIPPING THE KAFKA TESTS: ${String(error)} ***\n\n`)
    return undefined
  }
}

/**
 * Ends the broker when this process ends, however it ends: then the pipe to the guard closes. There is no hook
 * of the test runner that runs after the last file.
 */
function stopWithUs(pid: number): void {
  const guard = spawn('sh', ['-c', `cat >/dev/null; kill -9 ${pid}`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.unref()
}

/** Stops and removes what test runs that were killed left behind; other runs may be under way. */
async function sweep(): Promise<void> {
  for (const name of await readdir(TEST_KAFKA_DIR).catch(() => [])) {
    const pid = Number(/^run-(\d+)$/.exec(name)?.[1])
    if (!(pid > 0) || (pid !== process.pid && isRunning(pid))) continue
    await stopLeftoverKafka(join(TEST_KAFKA_DIR, name))
    await rm(join(TEST_KAFKA_DIR, name), { recursive: true, force: true })
  }
}
