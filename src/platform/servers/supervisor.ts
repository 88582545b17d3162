import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { systemClock } from '../clock.ts'
import type { Env } from '../config.ts'
import { SettingError } from '../errors.ts'
import { migrate } from '../migrate.ts'
import { registerServers } from '../shards/registry.ts'
import { orAborted, untilAborted } from '../shutdown.ts'
import { type Child, keepRunning } from './child.ts'
import { emptyDataDir, lockDataDir, type RunFile, writeRunFile } from './data-dir.ts'
import { createServers, type Servers } from './infrastructure.ts'
import { signalProcess } from './os-process.ts'
import { freePort, portIsFree } from './ports.ts'
import { processSettings, publicUrls, sandboxUrls, trustedProxies } from './process-settings.ts'
import { untilReady } from './readiness.ts'
import { type ConsoleAccount, startScreen } from './start-screen.ts'

export interface SupervisorOptions {
  readonly profile: 'embedded' | 'full'
  /** Kafka brokers of the full profile; as many as the folder has data of when left out, else one. */
  readonly kafkaNodes?: number
  readonly port: number
  readonly dataDir: string
  /** Web processes that share `port`; one where it is left out. */
  readonly webProcesses?: number
  /** Empty the data folder first. */
  readonly fresh: boolean
  /** nginx as a CDN's stand-in on `port`, and the web processes behind it on another. */
  readonly edge?: boolean
  /** Settings of the operator; they win over what is made here, and reach every process. */
  readonly env: Env
  /** The file of a role: web, relay, order-worker, cleanup, sandbox, edge. */
  readonly processFile: (role: string) => string
  readonly print: (line: string) => void
  /**
   * Called when everything answers, before the addresses are printed; `env` is what our processes got. Answers the
   * account to show beside the console's address, if any.
   */
  readonly onReady?: (run: RunFile, env: Env) => Promise<ConsoleAccount | undefined>
}

/** Ctrl-C is done within 5 s; each share is used up only by processes that hang. */
const STOP_MS = { web: 1800, workers: 900, sandbox: 300, edge: 900, all: 4000 }

/**
 * Starts the servers, brings the databases to the newest schema, starts our processes and keeps them running
 * until `signal` is aborted; then stops all of it in order, within 5 s. Throws a SettingError for whatever the
 * operator can put right, with everything stopped again.
 */
export async function supervise(options: SupervisorOptions, signal: AbortSignal): Promise<void> {
  const dataDir = resolve(options.dataDir)
  const unlock = await lockDataDir(dataDir, options.port)
  const servers = createServers()
  const children: Child[] = []
  const killAll = () => {
    for (const pid of [...children.map((child) => child.pid()), ...servers.pids()])
      if (pid !== undefined) signalProcess(pid, 'SIGKILL')
  }
  process.once('exit', killAll) // ended by a second Ctrl-C or an error of our own: leave nothing behind
  try {
    await runUntil(signal, { ...options, dataDir }, servers, children)
  } finally {
    await stopAll(children, servers)
    process.removeListener('exit', killAll)
    unlock()
  }
}

async function runUntil(
  signal: AbortSignal,
  options: SupervisorOptions,
  servers: Servers,
  children: Child[],
): Promise<void> {
  const { dataDir, env, port, print, profile, kafkaNodes } = options
  const sandboxPort = env['STRIPE_API_URL'] ? undefined : port + 1
  await requireFree(port, '')
  if (sandboxPort !== undefined)
    await requireFree(sandboxPort, ' (for the payment sandboxes, one above --port)')
  if (options.fresh) await emptyDataDir(dataDir)
  const kept = ['REDIS_URL', 'DATABASE_URLS', 'KAFKA_BROKERS'].filter((name) => env[name])
  if (options.fresh && kept.length > 0) print(`--fresh does not touch what ${kept.join(' and ')} names`)

  const brokers = kafkaNodes === undefined ? {} : { kafkaNodes }
  const addresses = await servers.start({ dataDir, env, profile, print, signal, ...brokers })
  if (signal.aborted || addresses === undefined) return
  await orAborted(migrate(addresses.databaseUrls), signal)
  await orAborted(registerServers(addresses.databaseUrls), signal)
  if (signal.aborted) return

  // The mailbox is part of the sandbox: where that does not run, real mails need a real server.
  const mailboxPort = sandboxPort === undefined || env['SMTP_URL'] ? undefined : await freePort()
  const healthPorts = await Promise.all(Array.from({ length: options.webProcesses ?? 1 }, freePort))
  const run: RunFile = {
    pid: process.pid,
    // Behind an edge nobody but the edge asks for it.
    port: options.edge ? await freePort() : port,
    ...(healthPorts.length > 1 ? { health_ports: healthPorts } : {}),
    ...(options.edge ? { edge_port: port } : {}),
    profile,
    urls: {
      ...publicUrls(env, port),
      ...sandboxUrls(env, sandboxPort),
      ...(mailboxPort === undefined ? {} : { mailbox: `http://127.0.0.1:${sandboxPort}/mailbox` }),
    },
    redis_url: addresses.redisUrl,
    database_urls: addresses.databaseUrls,
    kafka_brokers: addresses.kafkaBrokers,
    trusted_proxies: options.edge ? 1 : trustedProxies(env),
    ...(mailboxPort === undefined ? {} : { mailbox_port: mailboxPort }),
    processes: {},
  }
  const childEnv = processSettings(run, env, dataDir)
  const broken = await startChildren(options, run, childEnv, children)
  const ended = AbortSignal.any([signal, broken])
  await untilReady(run, ended)
  const ready = ended.aborted ? undefined : options.onReady?.(run, childEnv)
  const account = await orAborted(Promise.resolve(ready), ended)
  if (!ended.aborted) print(startScreen(run, dataDir, account))
  await untilAborted(ended)
  if (broken.aborted) throw broken.reason
}

/** The answer is aborted, with a SettingError, when a process ends because of a bad setting. */
async function startChildren(
  options: SupervisorOptions,
  run: RunFile,
  env: Env,
  children: Child[],
): Promise<AbortSignal> {
  await mkdir(join(options.dataDir, 'logs'), { recursive: true, mode: 0o700 })
  const broken = new AbortController()
  const pids: Record<string, number> = {}
  const webs = run.health_ports ?? []
  const names = [
    ...(run.urls.stripe_sandbox === undefined ? [] : ['sandbox']),
    'web',
    ...webs.slice(1).map((_port, index) => `web-${index + 2}`),
    'order-worker',
    'cleanup',
    ...(options.profile === 'full' ? ['relay'] : []),
    ...(options.edge ? ['edge'] : []),
  ]
  const healthPorts = new Map(names.filter(isWeb).map((name, index) => [name, webs[index]]))
  for (const name of names) {
    const healthPort = healthPorts.get(name)
    const child = keepRunning({
      name,
      file: options.processFile(isWeb(name) ? 'web' : name),
      env: healthPort === undefined ? env : { ...env, HEALTH_PORT: String(healthPort) },
      dataDir: options.dataDir,
      print: options.print,
      onStart: (pid) => {
        pids[name] = pid
        writeRunFile(options.dataDir, { ...run, processes: { ...pids } })
      },
      onBadSetting: (message) => broken.abort(new SettingError(message)),
    })
    children.push(child)
  }
  return broken.signal
}

/** `web`, `web-2` and so on. */
const isWeb = (name: string) => /^web(-\d+)?$/.test(name)

/** First the door, then those who work off what came through it, then what they all lean on. */
async function stopAll(children: readonly Child[], servers: Servers): Promise<void> {
  const deadline = systemClock.now() + STOP_MS.all
  const called = (name: string) => children.filter((child) => child.name === name)
  const webs = children.filter(({ name }) => isWeb(name))
  const workers = children.filter(({ name }) => !isWeb(name) && !['sandbox', 'edge'].includes(name))
  const groups = [
    { ms: STOP_MS.web, members: webs },
    // After what it hands on: answers that are on their way still arrive.
    { ms: STOP_MS.edge, members: called('edge') },
    { ms: STOP_MS.workers, members: workers },
    { ms: STOP_MS.sandbox, members: called('sandbox') },
  ]
  for (const { ms, members } of groups) await Promise.all(members.map((child) => child.stop(ms)))
  await servers.stop(deadline - systemClock.now())
}

async function requireFree(port: number, what: string): Promise<void> {
  if (!(await portIsFree(port)))
    throw new SettingError(`Port ${port} is taken${what}; choose another with --port`)
}
