import { join, resolve } from 'node:path'
import { untilAborted } from '../shutdown.ts'
import { lockDataDir } from './data-dir.ts'
import { startKafka } from './kafka.ts'

/**
 * A broker in the foreground until `signal` is aborted. Its data are apart from those of a whole system in the
 * same folder, which would take a broker it finds there for its own.
 */
export async function kafkaAlone(
  options: { dataDir: string; port: number; print: (line: string) => void },
  signal: AbortSignal,
): Promise<void> {
  const folder = resolve(options.dataDir, 'kafka-alone')
  const unlock = await lockDataDir(folder, options.port)
  try {
    const jarsDir = join(resolve(options.dataDir), 'kafka', 'libs')
    const broker = await startKafka({ dataDir: folder, port: options.port, jarsDir, log: options.print })
    options.print(`Kafka listens on ${broker.brokers.join(',')}; Ctrl-C stops it`)
    await untilAborted(signal)
    await broker.stop()
  } finally {
    unlock()
  }
}
