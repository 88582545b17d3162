import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate, withClient } from '../../src/platform/migrate.ts'
import { stopProcess } from '../../src/platform/servers/os-process.ts'
import { removePostgres, startPostgres } from '../../src/platform/servers/postgres.ts'

export interface TestDatabases {
  /** Empty databases with the newest schema. */
  readonly urls: string[]
  /** Removes them, ending connections that are still open. */
  drop(): Promise<void>
}

/**
 * Databases of this test alone, cloned from a migrated template. The real PostgreSQL behind them starts with
 * the first call in a test process and ends with that process, however it ends.
 */
export async function testDatabases(n = 2): Promise<TestDatabases> {
  const admin = await adminUrl()
  const names = Array.from({ length: n }, () => `test_${randomUUID().replaceAll('-', '')}`)
  await withClient(admin, async (client) => {
    for (const name of names) await client.query(`CREATE DATABASE ${name} TEMPLATE template_migrated`)
  })
  return {
    urls: names.map((name) => withDatabase(admin, name)),
    drop: () =>
      withClient(admin, async (client) => {
        for (const name of names) await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
      }),
  }
}

/** Kept on globalThis: every test file of a run gets modules of its own, but one server is enough. */
const shared = globalThis as { doorbusterTestPostgres?: Promise<string> }
const adminUrl = () => (shared.doorbusterTestPostgres ??= start())

async function start(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'doorbuster-postgres-'))
  await chmod(dir, 0o755) // where root runs the tests, PostgreSQL runs as another user
  const server = await startPostgres({
    dir: join(dir, 'postgres'),
    databases: ['postgres', 'template_migrated'],
    settings: { fsync: 'off', full_page_writes: 'off' }, // survives kill -9 of any process all the same
  })
  endWithThisProcess(server.pid, dir)
  const [admin, template] = server.urls as [string, string]
  await migrate([template])
  return admin
}

/** A shell that waits for our end of its pipe to close, as it does even when we are killed. */
function endWithThisProcess(pid: number, dir: string): void {
  const script = 'cat >/dev/null; kill -QUIT "$1"; while kill -0 "$1"; do sleep 0.05; done; rm -rf "$2"'
  const guard = spawn('sh', ['-c', script, 'sh', String(pid), dir], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.unref()
}

function withDatabase(url: string, name: string): string {
  const parsed = new URL(url)
  parsed.pathname = `/${name}`
  return parsed.href
}

/** A real server of one test's own: another machine, as far as the code under test can tell. */
export interface OwnPostgres {
  /** Its one database, with the newest schema. */
  readonly url: string
  /** A crash: nobody says goodbye. */
  crash(): Promise<void>
  /** Starts it again, same port and data; it recovers what was committed. */
  restart(): Promise<void>
  /** It hangs: connections stand, and nobody answers. */
  freeze(): void
  thaw(): void
  /** Removes it with its data. */
  stop(): Promise<void>
}

/** `more`: further settings of postgresql.conf. */
export async function ownPostgres(more: Readonly<Record<string, string>> = {}): Promise<OwnPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'doorbuster-own-postgres-'))
  await chmod(folder, 0o755)
  const dir = join(folder, 'postgres')
  const options = { dir, databases: ['shard'], settings: { full_page_writes: 'off', ...more } }
  let server = await startPostgres(options)
  const killWithUs = () => process.kill(server.pid, 'SIGQUIT')
  process.once('exit', killWithUs)
  const url = server.urls[0] ?? ''
  const port = Number(new URL(url).port)
  await migrate([url])
  const signal = (name: NodeJS.Signals) => {
    const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim().split(' ')
    for (const pid of [server.pid, ...children.map(Number)]) {
      try {
        process.kill(pid, name)
      } catch {
        // It ended meanwhile.
      }
    }
  }
  return {
    url,
    // An immediate shutdown: no checkpoint, no goodbye, and nothing left behind that a new server would trip over.
    crash: () => stopProcess(server.pid, ['SIGQUIT', 'SIGKILL'], 2500),
    restart: async () => void (server = await startPostgres({ ...options, port })),
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    stop: async () => {
      process.off('exit', killWithUs)
      signal('SIGCONT')
      await stopProcess(server.pid, ['SIGQUIT', 'SIGKILL'], 2500)
      await removePostgres(dir)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
