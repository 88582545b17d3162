import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmod, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate, withClient } from '../../src/platform/migrate.ts'
import { startPostgres } from '../../src/platform/servers/postgres.ts'

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
