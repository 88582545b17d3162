import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chown, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { systemClock } from '../clock.ts'
import { SettingError } from '../errors.ts'
import { type EdgeOptions, edgeFiles } from './edge-config.ts'
import {
  commandLine,
  isRunning,
  lastLines,
  readPidFile,
  type RunAs,
  signalProcess,
  type Spawned,
  spawnDetached,
  stopProcess,
} from './os-process.ts'
import { makeSystemDir, mayEnter, systemFolder, userIds } from './postgres-home.ts'

export interface Edge {
  readonly pid: number
  /** Where its configuration, logs and cache are. */
  readonly folder: string
  readonly exited: Spawned['exited']
  /** Ends it; visitors whose answers are on their way get `graceMs` for them. */
  stop(graceMs?: number): Promise<void>
}

const START_TIMEOUT_MS = 10_000
/** Longest path of a socket, with some room. */
const LONGEST_FOLDER = 80

/**
 * Starts nginx in front of the web processes, in the foreground and never as root. Everything
 * it keeps is below `dir`, or where its user can not enter that, below /var/lib/doorbuster; the cache starts empty. Throws
 * SettingError where it is missing or its port is taken.
 */
export async function startEdge(options: EdgeOptions & { readonly dir: string }): Promise<Edge> {
  const program = findNginx()
  const { folder, runAs } = await placeOf(resolve(options.dir))
  await stopLeftoverEdge(folder)
  await prepare(folder, edgeFiles(options, { folder, openFiles: mostOpenFiles() }), runAs)

  const logFile = join(folder, 'error.log')
  const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr']
  const { pid, exited } = await spawnDetached(program, args, { logFile, runAs, cwd: folder })
  let ended = false
  // Ended by an error of our own: it is not left behind.
  const kill = () => signalProcess(-pid, 'SIGKILL')
  process.once('exit', kill)
  void exited.then(() => {
    ended = true
    process.removeListener('exit', kill)
    kill() // without their master, workers would keep the port
  })
  const stop = async (graceMs = 1000) => {
    if (!ended) await stopProcess(pid, ['SIGQUIT', 'SIGTERM', 'SIGKILL'], graceMs)
  }
  const deadline = systemClock.now() + START_TIMEOUT_MS
  // The pid file says that it, and not another server, has the port.
  while (readPidFile(join(folder, 'nginx.pid')) !== pid || !(await answers(options))) {
    if (ended) throw new SettingError(`nginx ended at start: ${lastLines(logFile)}`)
    if (systemClock.now() > deadline) {
      await stop(100)
      throw new SettingError(`nginx does not answer: ${lastLines(logFile)}`)
    }
    await systemClock.sleep(20)
  }
  return { pid, folder, exited, stop }
}

/** Debian keeps it where only root's PATH leads. */
export function findNginx(): string {
  const found = Bun.which('nginx') ?? ['/usr/sbin/nginx', '/usr/local/sbin/nginx'].find(existsSync)
  if (found === undefined)
    throw new SettingError(
      'nginx is missing; install it (Debian: apt-get install nginx), or start with --no-edge',
    )
  return found
}

/** Ends the one that an earlier process started here and did not stop, or the workers that its master left behind. */
async function stopLeftoverEdge(folder: string): Promise<void> {
  const pid = readPidFile(join(folder, 'nginx.pid'))
  if (pid === undefined) return
  if (!isRunning(pid)) return signalProcess(-pid, 'SIGKILL') // the number of a group is not given away while one lives
  if (commandLine(pid).includes(folder)) await stopProcess(pid, ['SIGTERM', 'SIGKILL'], 2500)
}

/** Root hands it to `nobody`, who may be kept out of the project's folder. */
async function placeOf(dir: string): Promise<{ folder: string; runAs: RunAs }> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const isRoot = process.getuid?.() === 0
  const runAs = isRoot ? userIds('nobody') : undefined
  if (isRoot && runAs === undefined)
    throw new SettingError('The edge does not run as root, and there is no user nobody')
  if (runAs !== undefined) await chown(dir, runAs.uid, runAs.gid)
  if (dir.length <= LONGEST_FOLDER && (runAs === undefined || mayEnter(runAs, dir)))
    return { folder: dir, runAs }
  if (runAs === undefined)
    throw new SettingError(`${dir} is too long for a socket in it; choose a shorter --data-dir`)
  await makeSystemDir()
  return { folder: systemFolder(dir), runAs }
}

/** Everything anew but the logs, of which those of the run before are kept as `.old`. */
async function prepare(folder: string, files: Map<string, string>, runAs: RunAs): Promise<void> {
  const own = async (path: string) => runAs && (await chown(path, runAs.uid, runAs.gid))
  const makeFolder = async (path: string) => {
    await mkdir(path, { recursive: true, mode: 0o700 })
    await own(path)
  }
  for (const name of ['cache', 'temp', 'pages', 'collapse.sock', 'nginx.pid'])
    await rm(join(folder, name), { recursive: true, force: true })
  await makeFolder(folder)
  for (const name of ['cache', 'temp', 'pages']) await makeFolder(join(folder, name))
  for (const name of ['access.log', 'error.log'])
    if (existsSync(join(folder, name))) await rename(join(folder, name), join(folder, `${name}.old`))
  for (const [name, text] of files) {
    await writeFile(join(folder, name), text, { mode: 0o600 })
    await own(join(folder, name))
  }
}

async function answers({ host, port }: EdgeOptions): Promise<boolean> {
  try {
    await fetch(`http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}/metrics`, {
      signal: AbortSignal.timeout(1000),
    })
    return true
  } catch {
    return false
  }
}

/** As many as the system lets us have, within reason. */
function mostOpenFiles(): number {
  const { stdout } = spawnSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' })
  return Math.min(Number(stdout.trim()) || 1024, 65_536)
}

/** Removes what it keeps. */
export async function removeEdge(dir: string): Promise<void> {
  const path = resolve(dir)
  for (const folder of [path, systemFolder(path)]) {
    await stopLeftoverEdge(folder)
    await rm(folder, { recursive: true, force: true })
  }
}
