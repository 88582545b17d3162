import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { systemClock } from '../clock.ts'
import { SettingError } from '../errors.ts'
import { ensureKafkaJars, run } from './kafka-jars.ts'
import { commandLine, lastLines, readPidFile, spawnDetached, stopProcess } from './os-process.ts'
import { freePort, portIsFree } from './ports.ts'

export interface KafkaServer {
  /** `127.0.0.1:port` */
  readonly brokers: string[]
  readonly pid: number
  /** Resolves when the broker is gone; it is killed where it takes more than 10 s. */
  stop(): Promise<void>
}

export interface KafkaServerOptions {
  /** The broker keeps everything in `<dataDir>/kafka`; a later start with the same folder finds it again. */
  readonly dataDir: string
  /** Given by the operating system when left out; it may then differ from start to start. */
  readonly port?: number
  /** The port clients are told to connect to, where something stands in between. */
  readonly advertisedPort?: number
  /** Where the jars are kept, `<dataDir>/kafka/libs` when left out. */
  readonly jarsDir?: string
  readonly log?: (line: string) => void
}

// Start-up counts more than peak speed here: no C2 compiler, no parallel collector, the JDK's shared classes.
const JVM = ['-Xms128m', '-Xmx512m', '-Xshare:auto', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']
const START_TIMEOUT_MS = 60_000
const STOP_GRACE_MS = 10_000

/**
 * Starts a single Apache Kafka node (KRaft, broker and controller in one) that listens on loopback only.
 * A broker left over from a crash with the same folder is stopped first. It runs in a process group of its
 * own, so Ctrl-C in a terminal does not reach it: `stop()` does.
 * Throws a SettingError of one line when Java or Maven is missing or the port is taken, an Error when the
 * broker ends at start.
 */
export async function startKafka(options: KafkaServerOptions): Promise<KafkaServer> {
  const home = resolve(options.dataDir, 'kafka')
  const libs = resolve(options.jarsDir ?? join(home, 'libs'))
  const log = options.log ?? (() => undefined)
  await mkdir(home, { recursive: true, mode: 0o700 })
  await stopLeftoverKafka(options.dataDir, log)
  await ensureKafkaJars(libs, log)
  if (options.port !== undefined && !(await portIsFree(options.port)))
    throw new SettingError(`Port ${options.port} is taken; Kafka needs another`)

  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort())
    await configure(home, { port, advertised: options.advertisedPort ?? port, controller: await freePort() })
    await format(home, libs)
    try {
      return await launch(home, libs, port)
    } catch (error) {
      // Between asking for a free port and the broker's bind somebody else may have taken it.
      if (attempt === 3 || !/BindException|already in use/.test(String(error))) throw error
    }
  }
}

/** Stops the broker that an earlier process started with this folder and did not stop. */
export async function stopLeftoverKafka(dataDir: string, log?: (line: string) => void): Promise<void> {
  const home = resolve(dataDir, 'kafka')
  const pid = readPidFile(join(home, 'kafka.pid'))
  // The number may belong to somebody else by now: only our command line names our properties file.
  if (pid === undefined || !commandLine(pid).includes(join(home, 'server.properties'))) return
  log?.(`Stopping Kafka (pid ${pid}), left over from an earlier run`)
  await stopProcess(pid, ['SIGTERM', 'SIGKILL'], STOP_GRACE_MS)
}

interface Ports {
  readonly port: number
  readonly advertised: number
  readonly controller: number
}

async function configure(home: string, { port, advertised, controller }: Ports): Promise<void> {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    listeners: `BROKER://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `BROKER://127.0.0.1:${advertised}`,
    'listener.security.protocol.map': 'BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'BROKER',
    'controller.listener.names': 'CONTROLLER',
    // Voters are named here, not kept in the log, so that the port may change from start to start.
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    'log.dirs': join(home, 'data'),
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
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
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
  await writeFile(join(home, 'server.properties'), lines.join('\n') + '\n')
}

/** Gives an empty folder its cluster id, once. */
async function format(home: string, libs: string): Promise<void> {
  if (existsSync(join(home, 'data', 'meta.properties'))) return
  const id = randomBytes(16).toString('base64url')
  const tool = [
    'kafka.tools.StorageTool',
    'format',
    `--cluster-id=${id}`,
    '-c',
    join(home, 'server.properties'),
  ]
  const { code, output } = await run('java', [...JVM, ...classPath(libs), ...tool])
  if (code !== 0) throw new Error(`Kafka's storage could not be formatted: ${output.trim().slice(-300)}`)
}

const classPath = (libs: string) => ['-Dlog4j2.level=WARN', '-cp', join(libs, '*')]

async function launch(home: string, libs: string, port: number): Promise<KafkaServer> {
  const logFile = join(home, 'kafka.log')
  const pidFile = join(home, 'kafka.pid')
  await rm(logFile, { force: true })
  const args = [...JVM, ...classPath(libs), 'kafka.Kafka', join(home, 'server.properties')]
  const { pid, exited } = await spawnDetached('java', args, { logFile })
  await writeFile(pidFile, String(pid))
  const stop = async () => {
    await stopProcess(pid, ['SIGTERM', 'SIGKILL'], STOP_GRACE_MS)
    await rm(pidFile, { force: true })
  }

  let ended = false
  void exited.then(() => (ended = true))
  const deadline = systemClock.now() + START_TIMEOUT_MS
  while (!(await answers(port))) {
    if (ended) throw new Error(`Kafka ended at start: ${lastLines(logFile, 20)} (${logFile})`)
    if (systemClock.now() > deadline) {
      await stop()
      throw new Error(`Kafka did not answer within ${START_TIMEOUT_MS / 1000} s (${logFile})`)
    }
    await systemClock.sleep(50)
  }
  return { brokers: [`127.0.0.1:${port}`], pid, stop }
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
