import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { systemClock } from '../clock.ts'
import type { Env } from '../config.ts'
import { SettingError } from '../errors.ts'
import { migrate } from '../migrate.ts'
import { orAborted, untilAborted } from '../shutdown.ts'
import { type Child, keepRunning } from './child.ts'
import { emptyDataDir, lockDataDir, readSecrets, type RunFile, writeRunFile } from './data-dir.ts'
import { createServers, type Servers } from './infrastructure.ts'
import { signalProcess } from './os-process.ts'
import { freePort, portIsFree } from './ports.ts'
import { type ConsoleAccount, startScreen } from './start-screen.ts'

export interface SupervisorOptions {
  readonly profile: 'embedded' | 'full'
  readonly port: number
  readonly dataDir: string
  /** Empty the data folder first. */
  readonly fresh: boolean
  /** Settings of the operator; they win over what is made here, and reach every process. */
  readonly env: Env
  /** The file of a role: web, relay, order-worker, cleanup, sandbox. */
  readonly processFile: (role: string) => string
  readonly print: (line: string) => void
  /**
   * Called when everything answers, before the addresses are printed; `env` is what our processes got. Answers the
   * account to show beside the console's address, if any.
   */
  readonly onReady?: (run: RunFile, env: Env) => Promise<ConsoleAccount | undefined>
}

/** Ctrl-C is done within 5 s; each share is used up only by processes that hang. */
const STOP_MS = { web: 1800, workers: 900, sandbox: 300, all: 4000 }
const READY_TIMEOUT_MS = 60_000
const LOOPBACK = '127.0.0.1'

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
  const { dataDir, env, port, print, profile } = options
  const sandboxPort = env['STRIPE_API_URL'] ? undefined : port + 1
  await requireFree(port, '')
  if (sandboxPort !== undefined)
    await requireFree(sandboxPort, ' (for the payment sandboxes, one above --port)')
  if (options.fresh) await emptyDataDir(dataDir)
  const kept = ['REDIS_URL', 'DATABASE_URLS', 'KAFKA_BROKERS'].filter((name) => env[name])
  if (options.fresh && kept.length > 0) print(`--fresh does not touch what ${kept.join(' and ')} names`)

  const addresses = await servers.start({ dataDir, env, profile, print, signal })
  if (signal.aborted || addresses === undefined) return
  await orAborted(migrate(addresses.databaseUrls), signal)
  if (signal.aborted) return

  // The mailbox is part of the sandbox: where that does not run, real mails need a real server.
  const mailboxPort = sandboxPort === undefined || env['SMTP_URL'] ? undefined : await freePort()
  const hops = env['TRUSTED_PROXIES'] || trustedProxies(env['HOST'])
  const run: RunFile = {
    pid: process.pid,
    port,
    profile,
    urls: {
      shop: env['SHOP_URL'] ?? `http://shop.localhost:${port}`,
      queue: env['QUEUE_URL'] ?? `http://queue.localhost:${port}`,
      ops: env['OPS_URL'] ?? `http://ops.localhost:${port}`,
      ...sandboxUrls(env, sandboxPort),
      ...(mailboxPort === undefined ? {} : { mailbox: `http://127.0.0.1:${sandboxPort}/mailbox` }),
    },
    redis_url: addresses.redisUrl,
    database_urls: addresses.databaseUrls,
    kafka_brokers: addresses.kafkaBrokers,
    trusted_proxies: Number(hops),
    processes: {},
  }
  const childEnv: Env = {
    HOST: LOOPBACK,
    LOG_LEVEL: 'info',
    ...ourSecrets(dataDir),
    ...definedOnly(env),
    PROFILE: profile,
    PORT: String(port),
    DATA_DIR: dataDir,
    REDIS_URL: run.redis_url,
    DATABASE_URLS: run.database_urls.join(','),
    KAFKA_BROKERS: run.kafka_brokers.join(','),
    TRUSTED_PROXIES: hops,
    ...(run.urls.stripe_sandbox === undefined
      ? {}
      : { STRIPE_API_URL: env['SANDBOX_URL'] || run.urls.stripe_sandbox, SANDBOX_PORT: String(sandboxPort) }),
    ...(mailboxPort === undefined ? {} : mailboxEnv(mailboxPort, env)),
    ...paypalSettings(env, run.urls.paypal_sandbox),
  }
  const broken = await startChildren(options, run, childEnv, children)
  const ended = AbortSignal.any([signal, broken])
  await untilReady(port, ended)
  const ready = ended.aborted ? undefined : options.onReady?.(run, childEnv)
  const account = await orAborted(Promise.resolve(ready), ended)
  if (!ended.aborted) print(startScreen(run, dataDir, account))
  await untilAborted(ended)
  if (broken.aborted) throw broken.reason
}

/** Both stand-ins listen on one port. PayPal's is left out where the operator has an account there. */
function sandboxUrls(env: Env, port: number | undefined): Partial<RunFile['urls']> {
  if (port === undefined) return {}
  const stripe_sandbox = `http://127.0.0.1:${port}`
  return {
    stripe_sandbox,
    ...(env['PAYPAL_CLIENT_ID'] ? {} : { paypal_sandbox: `${stripe_sandbox}/paypal` }),
  }
}

/** The keys we make ourselves fit only the sandbox: without it, PayPal is taken with the operator's keys or not at all. */
function paypalSettings(env: Env, sandbox: string | undefined): Env {
  // The same stand-in, by the way that the operator has put in between.
  if (sandbox !== undefined)
    return { PAYPAL_API_URL: env['SANDBOX_URL'] ? `${env['SANDBOX_URL']}/paypal` : sandbox }
  const names = ['PAYPAL_CLIENT_ID', 'PAYPAL_CLIENT_SECRET', 'PAYPAL_WEBHOOK_ID']
  return Object.fromEntries(names.map((name) => [name, env[name] ?? '']))
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
  const roles = [
    ...(run.urls.stripe_sandbox === undefined ? [] : ['sandbox']),
    'web',
    'order-worker',
    'cleanup',
    ...(options.profile === 'full' ? ['relay'] : []),
  ]
  for (const name of roles) {
    const child = keepRunning({
      name,
      file: options.processFile(name),
      env,
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

/** Returns when the web process says so, or when `until` is aborted. */
async function untilReady(port: number, until: AbortSignal): Promise<void> {
  const deadline = systemClock.now() + READY_TIMEOUT_MS
  while (!until.aborted) {
    const state = await askReady(port)
    if (state === 'ready') return
    if (systemClock.now() > deadline)
      throw new SettingError(
        `Not ready within ${READY_TIMEOUT_MS / 1000} s (/readyz: ${state}); see the logs`,
      )
    await systemClock.sleep(50, until)
  }
}

/** `ready`, or what there is instead. */
async function askReady(port: number): Promise<string> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2000) })
    return answer.status === 200 ? 'ready' : `${answer.status} ${(await answer.text()).slice(0, 200)}`
  } catch (error) {
    return (error as Error).message
  }
}

/** First the door, then those who work off what came through it, then what they all lean on. */
async function stopAll(children: readonly Child[], servers: Servers): Promise<void> {
  const deadline = systemClock.now() + STOP_MS.all
  const workers = children.filter(({ name }) => name !== 'web' && name !== 'sandbox')
  const groups = [
    { ms: STOP_MS.web, members: children.filter(({ name }) => name === 'web') },
    { ms: STOP_MS.workers, members: workers },
    { ms: STOP_MS.sandbox, members: children.filter(({ name }) => name === 'sandbox') },
  ]
  for (const { ms, members } of groups) await Promise.all(members.map((child) => child.stop(ms)))
  await servers.stop(deadline - systemClock.now())
}

async function requireFree(port: number, what: string): Promise<void> {
  if (!(await portIsFree(port)))
    throw new SettingError(`Port ${port} is taken${what}; choose another with --port`)
}

/**
 * Who reaches us by the loopback interface is a proxy on this machine, or somebody who may do as they like here. Anywhere
 * else the operator has to say whom to believe.
 */
function trustedProxies(host = LOOPBACK): string {
  return ['127.0.0.1', '::1', 'localhost'].includes(host) ? '1' : '0'
}

const mailboxEnv = (port: number, env: Env): Env => ({
  MAILBOX_PORT: String(port),
  SMTP_URL: `smtp://127.0.0.1:${port}`,
  MAIL_FROM: env['MAIL_FROM'] || 'Doorbuster <no-reply@shop.localhost>',
})

/** The admin's password is for people: no process of ours needs it. */
const ourSecrets = (dataDir: string): Env => ({ ...readSecrets(dataDir), ADMIN_PASSWORD: undefined })

const definedOnly = (env: Env): Env =>
  Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
