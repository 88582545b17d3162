import { spawnSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { systemClock } from '../clock.ts'
import { SettingError } from '../errors.ts'
import { SERVER_SETTINGS } from '../redis-settings.ts'
import { commandLine, isRunning, lastLines, readPidFile, spawnDetached, stopProcess } from './os-process.ts'
import { freePort } from './ports.ts'

export interface RedisServer {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Ends it after everything it answered is on disk; kills it when that takes longer than `graceMs`. */
  stop(graceMs?: number): Promise<void>
}

export interface RedisServerOptions {
  /** Folder of its data, log and pid file; made when missing. */
  readonly dir: string
  /** Default: one from the operating system. */
  readonly port?: number
  readonly log?: (line: string) => void
  /** Further settings of redis.conf. */
  readonly settings?: Readonly<Record<string, string>>
}

const START_TIMEOUT_MS = 60_000 // a long append-only file takes a while to load

/**
 * Starts `redis-server` on 127.0.0.1 with the settings selling needs (design, section 2) and waits until it
 * answers. A server left over from a crash in the same folder is stopped first.
 */
export async function startRedis(options: RedisServerOptions): Promise<RedisServer> {
  const dir = resolve(options.dir)
  requireRedis7()
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await stopLeftoverRedis(dir, options.log)

  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort())
    try {
      return await launch(dir, port, options.settings)
    } catch (error) {
      // Between asking for a free port and Redis's bind somebody else may have taken it.
      if (options.port !== undefined || attempt === 3 || !/already in use/.test(String(error))) throw error
    }
  }
}

async function launch(
  dir: string,
  port: number,
  more: Readonly<Record<string, string>> = {},
): Promise<RedisServer> {
  const pidFile = join(dir, 'redis.pid')
  const logFile = join(dir, 'redis.log')
  const settings: Record<string, string> = {
    bind: '127.0.0.1',
    port: String(port),
    dir,
    pidfile: pidFile,
    appendonly: 'yes',
    appendfsync: 'always',
    save: '',
    'maxmemory-policy': 'noeviction',
    ...SERVER_SETTINGS,
    'set-proc-title': 'no', // keeps the folder in the command line, by which a leftover is known
    ...more,
  }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const { pid, exited } = await spawnDetached('redis-server', args, { logFile })
  const stop = (graceMs = 2500) => stopProcess(pid, ['SIGTERM', 'SIGKILL'], graceMs)

  let ended = false
  void exited.then(() => (ended = true))
  const deadline = systemClock.now() + START_TIMEOUT_MS
  // Its pid file is written once it listens: it, and not another server, has the port and answers.
  while (readPidFile(pidFile) !== pid || !(await answersPing(port))) {
    if (ended) throw new SettingError(`Redis ended at start: ${lastLines(logFile)}`)
    if (systemClock.now() > deadline) {
      await stop()
      throw new SettingError(
        `Redis did not answer within ${START_TIMEOUT_MS / 1000} s: ${lastLines(logFile)}`,
      )
    }
    await systemClock.sleep(20)
  }
  return { url: `redis://127.0.0.1:${port}`, port, pid, stop }
}

function requireRedis7(): void {
  const { stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' })
  const version = /v=(\d+)\.\d+/.exec(stdout ?? '')
  if (version === null)
    throw new SettingError('redis-server is missing; install Redis 7 or set REDIS_URL to a server you have')
  if (Number(version[1]) < 7)
    throw new SettingError(`redis-server ${version[0]} is too old; Redis 7 or newer is needed`)
}

/** Stops the server that an earlier process started in this folder and did not stop. */
export async function stopLeftoverRedis(folder: string, log?: (line: string) => void): Promise<void> {
  const dir = resolve(folder)
  const pid = readPidFile(join(dir, 'redis.pid'))
  if (pid === undefined || !isRunning(pid)) return
  const command = commandLine(pid)
  if (!command.includes('redis-server') || !command.includes(dir)) return
  log?.(`Stopping Redis (pid ${pid}), left over from an earlier run`)
  await stopProcess(pid, ['SIGTERM', 'SIGKILL'], 2500)
}

/** Whether a Redis on this port answers PING; one that is still loading its data does not. */
function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    const answer = (yes: boolean) => {
      socket.destroy()
      resolve(yes)
    }
    socket.setTimeout(1000, () => answer(false))
    socket.once('error', () => answer(false))
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', (data) => answer(data.toString().startsWith('+PONG')))
  })
}
