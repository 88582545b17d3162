import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { systemClock } from '../clock.ts'
import { run } from './kafka-jars.ts'
import { isRunning, lastLines, signalProcess, spawnDetached, stopProcess, untilGone } from './os-process.ts'

/** One broker of ours; it is a controller too. */
export interface KafkaNode {
  readonly id: number
  /** Folder of its data and its log. */
  readonly home: string
  readonly port: number
  /** Of the process that runs, or ran last. */
  readonly pid: number
  running(): boolean
  /** On its old data and ports; returns when it answers. Nothing happens where it runs. */
  start(): Promise<void>
  /** In order: it hands over what it leads. Killed where it takes more than 10 s. */
  stop(): Promise<void>
  /** Without a word; resolves when it is gone. */
  kill(): Promise<void>
}

/** What a node has to know of itself and of the others before any of them starts. */
export interface NodePlan {
  readonly id: number
  readonly home: string
  readonly port: number
  /** The port clients are told to connect to. */
  readonly advertised: number
  readonly controller: number
}

// Start-up counts more than peak speed here: no C2 compiler, no parallel collector, the JDK's shared classes.
const JVM = ['-Xshare:auto', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']
/** Three share a machine that has one to spare. */
const heapOf = (nodes: number) => (nodes === 1 ? ['-Xms128m', '-Xmx512m'] : ['-Xms96m', '-Xmx256m'])
const START_TIMEOUT_MS = 60_000
const STOP_GRACE_MS = 10_000

export const propertiesFile = (home: string) => join(home, 'server.properties')
export const pidFile = (home: string) => join(home, 'kafka.pid')
const metaFile = (home: string) => join(home, 'data', 'meta.properties')

/** Whether a broker has ever kept data there. */
export const isFormatted = (home: string) => existsSync(metaFile(home))

/** The cluster its data belong to; undefined where there are none. */
export function clusterIdOf(home: string): string | undefined {
  return isFormatted(home) ? /^cluster\.id=(.+)$/m.exec(readFileSync(metaFile(home), 'utf8'))?.[1] : undefined
}

/** Writes the settings of a node that stands beside the others of `plans`. */
export async function configure(node: NodePlan, plans: readonly NodePlan[]): Promise<void> {
  const { id, home, port, advertised, controller } = node
  // With three copies one may be away and every event is still in two places.
  const copies = Math.min(3, plans.length)
  const inSync = Math.max(1, copies - 1)
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': id,
    listeners: `BROKER://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `BROKER://127.0.0.1:${advertised}`,
    'listener.security.protocol.map': 'BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'BROKER',
    'controller.listener.names': 'CONTROLLER',
    // Voters are named here, not kept in the log, so that the ports may change from start to start.
    'controller.quorum.voters': plans.map((one) => `${one.id}@127.0.0.1:${one.controller}`).join(),
    'log.dirs': join(home, 'data'),
    'auto.create.topics.enable': false,
    'default.replication.factor': copies,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': inSync,
    // A broker that was killed may register again only after its old session has ended.
    'broker.heartbeat.interval.ms': 500,
    'broker.session.timeout.ms': 3000,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 4,
  }
  await mkdir(home, { recursive: true, mode: 0o700 })
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
  await writeFile(propertiesFile(home), lines.join('\n') + '\n')
}

/** Makes an empty folder part of the cluster, once. */
export async function format({ home }: NodePlan, libs: string, clusterId: string): Promise<void> {
  if (isFormatted(home)) return
  const tool = ['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', propertiesFile(home)]
  const { code, output } = await run('java', [...JVM, ...classPath(libs), ...tool])
  if (code !== 0) throw new Error(`Kafka's storage could not be formatted: ${output.trim().slice(-300)}`)
}

const classPath = (libs: string) => ['-Dlog4j2.level=WARN', '-cp', join(libs, '*')]

/** Starts a node that is configured and formatted; of `nodes` in all. Returns when it answers. */
export async function launch(plan: NodePlan, libs: string, nodes: number): Promise<KafkaNode> {
  const { id, home, port } = plan
  const args = [...heapOf(nodes), ...JVM, ...classPath(libs), 'kafka.Kafka', propertiesFile(home)]
  let pid = await up(plan, args)
  return {
    ...{ id, home, port },
    get pid() {
      return pid
    },
    running: () => isRunning(pid),
    start: async () => {
      if (!isRunning(pid)) pid = await up(plan, args)
    },
    stop: async () => {
      await stopProcess(pid, ['SIGTERM', 'SIGKILL'], STOP_GRACE_MS)
      await rm(pidFile(home), { force: true })
    },
    kill: async () => {
      signalProcess(pid, 'SIGKILL')
      await untilGone(pid, STOP_GRACE_MS)
    },
  }
}

async function up({ home, port }: NodePlan, args: readonly string[]): Promise<number> {
  const logFile = join(home, 'kafka.log')
  await rm(logFile, { force: true })
  const { pid, exited } = await spawnDetached('java', args, { logFile })
  await writeFile(pidFile(home), String(pid))
  let ended = false
  void exited.then(() => (ended = true))
  const deadline = systemClock.now() + START_TIMEOUT_MS
  while (!(await answers(port))) {
    if (ended) throw new Error(`Kafka ended at start: ${lastLines(logFile, 20)} (${logFile})`)
    if (systemClock.now() > deadline) {
      await stopProcess(pid, ['SIGTERM', 'SIGKILL'], STOP_GRACE_MS)
      throw new Error(`Kafka did not answer within ${START_TIMEOUT_MS / 1000} s (${logFile})`)
    }
    await systemClock.sleep(50)
  }
  return pid
}

/** The broker opens its port as the last step of its start. */
function answers(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect(port, '127.0.0.1')
    const answer = (yes: boolean) => {
      socket.destroy()
      settle(yes)
    }
    socket.once('connect', () => answer(true))
    socket.once('error', () => answer(false))
  })
}
