import { spawn } from 'node:child_process'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { projectPath } from '../../src/platform/project.ts'
import { type KafkaServer, startKafka, stopLeftoverKafka } from '../../src/platform/servers/kafka.ts'
import { pidFile } from '../../src/platform/servers/kafka-node.ts'
import { isRunning } from '../../src/platform/servers/os-process.ts'

/** Shared by all test runs: the jars are fetched once. */
export const TEST_KAFKA_DIR = projectPath('.data/test-kafka')
export const TEST_KAFKA_JARS = join(TEST_KAFKA_DIR, 'libs')

let swept: Promise<void> | undefined
const shared = new Map<number, Promise<KafkaServer | undefined>>()

/**
 * A real broker, one for the whole test process, started at the first call with empty logs; or a cluster of several, for
 * one file to use and to stop. Undefined, after a loud line, where there is none (no Java, no Maven, no network): use
 * `describe.skipIf`. With CI=true that is an error instead.
 */
export function testKafka(nodes = 1): Promise<KafkaServer | undefined> {
  const known = shared.get(nodes) ?? start(nodes)
  shared.set(nodes, known)
  return known
}

async function start(nodes: number): Promise<KafkaServer | undefined> {
  try {
    // Once, before the first start: what bears our pid then is of an older process.
    swept ??= sweep()
    await swept
    const dataDir = join(TEST_KAFKA_DIR, `run-${process.pid}-${nodes}`)
    const server = await startKafka({ dataDir, nodes, jarsDir: TEST_KAFKA_JARS })
    stopWithUs(server)
    return server
  } catch (error) {
    if (process.env['CI'] === 'true') throw error
    process.stderr.write(`\n*** SKIPPING THE KAFKA TESTS: ${String(error)} ***\n\n`)
    return undefined
  }
}

/**
 * Ends the brokers when this process ends, however it ends: then the pipe to the guard closes. There is no hook
 * of the test runner that runs after the last file.
 */
function stopWithUs({ nodes }: KafkaServer): void {
  const pids = nodes.map(({ home }) => `$(cat '${pidFile(home)}')`).join(' ')
  const guard = spawn('sh', ['-c', `cat >/dev/null; kill -9 ${pids} 2>/dev/null`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.unref()
}

/** Stops and removes what test runs that were killed left behind; other runs may be under way. */
async function sweep(): Promise<void> {
  for (const name of await readdir(TEST_KAFKA_DIR).catch(() => [])) {
    const pid = Number(/^run-(\d+)(-\d+)?$/.exec(name)?.[1])
    if (!(pid > 0) || (pid !== process.pid && isRunning(pid))) continue
    await stopLeftoverKafka(join(TEST_KAFKA_DIR, name))
    await rm(join(TEST_KAFKA_DIR, name), { recursive: true, force: true })
  }
}
