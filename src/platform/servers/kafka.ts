import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { SettingError } from '../errors.ts'
import { ensureKafkaJars } from './kafka-jars.ts'
import {
  clusterIdOf,
  configure,
  format,
  isFormatted,
  type KafkaNode,
  launch,
  type NodePlan,
  pidFile,
  propertiesFile,
} from './kafka-node.ts'
import { commandLine, readPidFile, stopProcess } from './os-process.ts'
import { freePort, portIsFree } from './ports.ts'

export interface KafkaServer {
  /** `127.0.0.1:port` of each broker */
  readonly brokers: string[]
  readonly nodes: readonly [KafkaNode, ...KafkaNode[]]
  /** Resolves when all brokers are gone; one is killed where it takes more than 10 s. */
  stop(): Promise<void>
}

export interface KafkaServerOptions {
  /** The brokers keep everything in `<dataDir>/kafka`; a later start with the same folder finds it again. */
  readonly dataDir: string
  /** How many: as many as have data in the folder when left out, one where there are none. */
  readonly nodes?: number
  /** Of the first broker, the others take the next ones. Given by the operating system when left out; may then differ from start to start. */
  readonly port?: number
  /** The port clients of a single broker are told to connect to, where something stands in between. */
  readonly advertisedPort?: number
  /** Where the jars are kept, `<dataDir>/kafka/libs` when left out. */
  readonly jarsDir?: string
  readonly log?: (line: string) => void
}

const STOP_GRACE_MS = 10_000

/**
 * Starts Apache Kafka (KRaft, each node broker and controller in one) that listens on loopback only: one node, or a
 * cluster of them that keeps three copies of everything, and of three may lose one.
 * Brokers left over from a crash with the same folder are stopped first. They run in process groups of their
 * own, so Ctrl-C in a terminal does not reach them: `stop()` does.
 * Throws a SettingError of one line when Java or Maven is missing, a port is taken or the folder's data are those of
 * another number of brokers, an Error when a broker ends at start.
 */
export async function startKafka(options: KafkaServerOptions): Promise<KafkaServer> {
  const home = resolve(options.dataDir, 'kafka')
  const libs = resolve(options.jarsDir ?? join(home, 'libs'))
  const log = options.log ?? (() => undefined)
  await mkdir(home, { recursive: true, mode: 0o700 })
  const count = countNodes(home, options.nodes)
  await stopLeftoverKafka(options.dataDir, log)
  await ensureKafkaJars(libs, log)

  for (let attempt = 1; ; attempt++) {
    const plans = await plan(homesOf(home, count), options)
    for (const one of plans) await configure(one, plans)
    const clusterId = plans.map((one) => clusterIdOf(one.home)).find(Boolean) ?? newClusterId()
    await Promise.all(plans.map((one) => format(one, libs, clusterId)))
    const launched = await Promise.allSettled(plans.map((one) => launch(one, libs, count)))
    const nodes = launched.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
    const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())))
    const failed = launched.find((one) => one.status === 'rejected')
    const [first, ...others] = nodes
    if (failed === undefined && first !== undefined)
      return { brokers: nodes.map(({ port }) => `127.0.0.1:${port}`), nodes: [first, ...others], stop }
    await stop()
    // Between asking for a free port and the broker's bind somebody else may have taken it.
    const taken = /BindException|already in use/.test(String(failed?.reason))
    if (attempt === 3 || !taken) throw failed?.reason
  }
}

/** Stops the brokers that an earlier process started with this folder and did not stop. */
export async function stopLeftoverKafka(dataDir: string, log?: (line: string) => void): Promise<void> {
  await Promise.all(
    kafkaPidFiles(dataDir).map(async ({ home, file }) => {
      const pid = readPidFile(file)
      // The number may belong to somebody else by now: only our command line names our properties file.
      if (pid === undefined || !commandLine(pid).includes(propertiesFile(home))) return
      log?.(`Stopping Kafka (pid ${pid}), left over from an earlier run`)
      await stopProcess(pid, ['SIGTERM', 'SIGKILL'], STOP_GRACE_MS)
    }),
  )
}

/** Of all brokers that have a folder there, whether they run or not. */
export function kafkaPidFiles(dataDir: string): { home: string; file: string }[] {
  const home = resolve(dataDir, 'kafka')
  return [home, ...brokerFolders(home)].map((one) => ({ home: one, file: pidFile(one) }))
}

function brokerFolders(home: string): string[] {
  const names = existsSync(home) ? readdirSync(home) : []
  return names.filter((name) => /^broker-\d+$/.test(name)).map((name) => join(home, name))
}

const homesOf = (home: string, nodes: number): string[] =>
  nodes === 1 ? [home] : Array.from({ length: nodes }, (_, n) => join(home, `broker-${n + 1}`))

/** Voters can not be added by giving another number: new ones, with nothing in their logs, would outvote the old. */
function countNodes(home: string, asked: number | undefined): number {
  const clustered = brokerFolders(home).filter(isFormatted).length
  const kept = clustered > 0 ? clustered : isFormatted(home) ? 1 : undefined
  if (kept !== undefined && asked !== undefined && kept !== asked)
    throw new SettingError(
      `The data in ${home} are those of ${kept} Kafka broker${kept === 1 ? '' : 's'}: start with --kafka-brokers ${kept}, or empty with --fresh`,
    )
  return asked ?? kept ?? 1
}

async function plan(homes: readonly string[], options: KafkaServerOptions): Promise<NodePlan[]> {
  const { port: first, advertisedPort } = options
  const plans: NodePlan[] = []
  for (const [index, home] of homes.entries()) {
    const port = first === undefined ? await freePort() : first + index
    if (first !== undefined && !(await portIsFree(port)))
      throw new SettingError(`Port ${port} is taken; Kafka needs another`)
    const advertised = homes.length === 1 ? (advertisedPort ?? port) : port
    plans.push({ id: index + 1, home, port, advertised, controller: await freePort() })
  }
  return plans
}

const newClusterId = () => randomBytes(16).toString('base64url')
