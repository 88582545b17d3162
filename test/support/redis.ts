import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SERVER_SETTINGS } from '../../src/platform/redis-settings.ts'

/** A real redis-server of one test file, set as the project wants it: append-only file, no eviction. */
export interface TestRedis {
  readonly url: string
  readonly port: number
  /** Of the process that runs now; changes with `restart`. */
  readonly pid: number
  /** Where its data are. */
  readonly dir: string
  /** Ends the server in good order and removes the data folder, unless the caller gave that. */
  stop(): Promise<void>
  /** SIGKILL: a crash. The data folder stays for `restart`. */
  kill9(): Promise<void>
  /** Starts it again, same port and data, new process and `run_id`; ends it first where it still runs. */
  restart(): Promise<void>
}

export interface TestRedisOptions {
  /** `always` survives `kill9` without loss; `no` (the default) is quicker. */
  readonly appendfsync?: 'always' | 'no'
  /** An existing folder for its data, which outlives `stop`. Without one a temporary folder is made. */
  readonly dir?: string
  /** Further environment of the process. */
  readonly env?: Readonly<Record<string, string>>
  /** Further settings of redis.conf. */
  readonly settings?: () => Promise<Readonly<Record<string, string>>>
}

/** Resolves when the server has loaded its data and accepts connections; throws with its output if it ends. */
export async function startTestRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const { appendfsync = 'no' } = options
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'doorbuster-redis-')))
  let port = 0
  let settings: Readonly<Record<string, string>> = {}
  const start = () => launch(port, dir, { appendfsync, ...settings }, options.env)
  let server: ChildProcess | undefined
  for (let attempt = 1; server === undefined; attempt++) {
    port = await freePort()
    settings = (await options.settings?.()) ?? {}
    // Another process may take the port between our look and the server's bind: look again.
    server = await start().catch((error: unknown) => {
      if (attempt === 3) throw error
      return undefined
    })
  }
  let running: ChildProcess = server
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return running.pid ?? 0
    },
    dir,
    stop: async () => {
      await end(running, 'SIGTERM')
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true })
    },
    kill9: () => end(running, 'SIGKILL'),
    restart: async () => {
      await end(running, 'SIGTERM')
      running = await start()
    },
  }
}

async function launch(
  port: number,
  dir: string,
  more: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<ChildProcess> {
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir,
    save: '',
    appendonly: 'yes',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
    ...SERVER_SETTINGS,
    ...more,
  }
  const server = spawn(
    'redis-server',
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } },
  )
  let output = ''
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      if (output.includes('Ready to accept connections')) resolve()
    }
    server.stdout.on('data', read)
    server.stderr.on('data', read)
    server.once('error', reject)
    server.once('exit', (code) => reject(new Error(`redis-server ended with ${code}:\n${output}`)))
  })
  server.stdout.removeAllListeners('data').resume()
  const killWithUs = () => server.kill('SIGKILL')
  process.once('exit', killWithUs)
  server.once('exit', () => process.off('exit', killWithUs))
  return server
}

async function end(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = once(server, 'exit')
  server.kill(signal)
  await ended
}

/** A port nobody listens on right now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port from the system')
  return address.port
}
