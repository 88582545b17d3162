import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SettingError } from '../errors.ts'
import { newPassword } from '../passwords.ts'
import { removeEdge } from './edge.ts'
import { stopLeftoverKafka } from './kafka.ts'
import { commandLine, stopProcess } from './os-process.ts'
import { removePostgres } from './postgres.ts'
import { stopLeftoverRedis } from './redis.ts'

/** What runs in a data folder: `run.json`, there from the start of all processes until they are stopped. */
export interface RunFile {
  /** Of the supervisor. */
  readonly pid: number
  /** Of the web process, or of all of them together. */
  readonly port: number
  /** Where each of several web processes answers alone. */
  readonly health_ports?: readonly number[]
  /** Of the edge in front of it, to which `urls` lead then. */
  readonly edge_port?: number
  readonly profile: 'embedded' | 'full'
  readonly urls: {
    readonly shop: string
    readonly queue: string
    readonly ops: string
    /** Absent when STRIPE_API_URL names the real one. */
    readonly stripe_sandbox?: string
    /** Where mails to buyers are to be read; absent when SMTP_URL names a real mail server. */
    readonly mailbox?: string
    /** Absent when PAYPAL_CLIENT_ID is that of an account at PayPal, or PayPal is not taken. */
    readonly paypal_sandbox?: string
  }
  readonly redis_url: string
  readonly database_urls: readonly string[]
  readonly kafka_brokers: readonly string[]
  /** As the setting of that name. */
  readonly trusted_proxies: number
  /** Where the local mailbox takes mails, if there is one. */
  readonly mailbox_port?: number
  /** Name -> pid, kept current when one is started again. */
  readonly processes: Readonly<Record<string, number>>
}

const RUN_FILE = 'run.json'
const LOCK_FILE = 'doorbuster.pid'

/** The run file of a data folder; undefined when nothing is said to run there. */
export function readRunFile(dataDir: string): RunFile | undefined {
  return readJson<RunFile>(join(dataDir, RUN_FILE))
}

export function writeRunFile(dataDir: string, run: RunFile): void {
  writeJson(join(dataDir, RUN_FILE), run)
}

interface Lock {
  readonly pid: number
  readonly port: number
  readonly command: string
}

/**
 * Makes this process the only one that runs in the folder; the answer gives it up again. Processes left over
 * from a supervisor that was killed are ended first. Throws a SettingError when another instance runs there.
 */
export async function lockDataDir(dataDir: string, port: number): Promise<() => void> {
  await mkdir(dataDir, { recursive: true })
  const path = join(dataDir, LOCK_FILE)
  const lock: Lock = { pid: process.pid, port, command: commandLine(process.pid) }
  while (!createExclusively(path, JSON.stringify(lock))) {
    const other = readJson<Lock>(path)
    // A pid alone may have been given to another program since; an empty command means nothing runs.
    if (other && other.pid !== process.pid && commandLine(other.pid) === other.command && other.command)
      throw new SettingError(`Doorbuster is already running here (pid ${other.pid}, port ${other.port})`)
    rmSync(path, { force: true })
  }
  await endLeftovers(dataDir)
  return () => {
    rmSync(join(dataDir, RUN_FILE), { force: true })
    rmSync(path, { force: true })
  }
}

/** Our processes notice that their supervisor is gone and end by themselves; this waits for that, or ends them. */
async function endLeftovers(dataDir: string): Promise<void> {
  const pids = Object.values(readRunFile(dataDir)?.processes ?? {})
  // A number may have been given to another program since; ours name the folder.
  const ours = pids.filter((pid) => commandLine(pid).endsWith(` ${dataDir}`))
  await Promise.all(ours.map((pid) => stopProcess(pid, ['SIGTERM', 'SIGKILL'], 3000)))
  rmSync(join(dataDir, RUN_FILE), { force: true })
}

/** Removes everything we keep in the folder, and nothing else; downloaded jars stay. */
export async function emptyDataDir(dataDir: string): Promise<void> {
  await removePostgres(join(dataDir, 'postgres'))
  await stopLeftoverRedis(join(dataDir, 'redis'))
  await stopLeftoverKafka(dataDir)
  await removeEdge(join(dataDir, 'edge'))
  for (const name of ['redis', 'stripe-sandbox', 'paypal-sandbox', 'mailbox', 'logs', 'secrets.json'])
    await rm(join(dataDir, name), { recursive: true, force: true })
  const kafka = join(dataDir, 'kafka')
  for (const name of existsSync(kafka) ? await readdir(kafka) : [])
    if (name !== 'libs') await rm(join(kafka, name), { recursive: true, force: true })
}

/** Settings that are secret, by the name of their environment variable. */
export type SecretSettings = Readonly<Record<string, string>>

/** The secrets of this folder, made at random the first time and kept in `secrets.json`, for our eyes only. */
export function readSecrets(dataDir: string): SecretSettings {
  const path = join(dataDir, 'secrets.json')
  const kept = readJson<SecretSettings>(path)
  const random = () => randomBytes(32).toString('base64url')
  const made = {
    TOKEN_KEYS: `k1:${random()}`,
    SESSION_KEY: random(),
    OPS_TOKEN: random(),
    ADMIN_PASSWORD: newPassword(),
    STRIPE_SECRET_KEY: `sk_test_${randomBytes(16).toString('hex')}`,
    STRIPE_PUBLISHABLE_KEY: `pk_test_${randomBytes(16).toString('hex')}`,
    STRIPE_WEBHOOK_SECRET: `whsec_${randomBytes(24).toString('hex')}`,
    ...paypalSandboxKeys(),
  }
  // A folder of an earlier version gets what that did not know yet.
  const all = { ...made, ...kept }
  if (Object.keys(all).length > Object.keys(kept ?? {}).length) writeJson(path, all)
  return all
}

function paypalSandboxKeys() {
  const id = () => randomBytes(9).toString('hex').toUpperCase()
  return {
    PAYPAL_CLIENT_ID: `sandbox-${id()}`,
    PAYPAL_CLIENT_SECRET: randomBytes(32).toString('base64url'),
    PAYPAL_WEBHOOK_ID: id(),
  }
}

function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T
  } catch {
    return undefined
  }
}

/** Written whole under another name first: a reader never sees half of it. */
function writeJson(path: string, value: object): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** Linked into place whole, so that nobody ever reads half a lock. False where there is one already. */
function createExclusively(path: string, text: string): boolean {
  const whole = `${path}.${process.pid}`
  writeFileSync(whole, text, { mode: 0o600 })
  try {
    linkSync(whole, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(whole, { force: true })
  }
}
