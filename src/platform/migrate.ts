import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { SettingError } from './errors.ts'
import { projectPath } from './project.ts'

/** One file of `migrations/`: NNNN_name.sql, numbered without a gap from 0001. */
interface Migration {
  readonly version: number
  readonly name: string
  readonly checksum: string
  readonly sql: string
}

interface Applied {
  readonly version: number
  readonly name: string
  readonly checksum: string
}

/** Any constant, the same for every version of the program: two migrations at once wait for each other. */
const LOCK = 7_368_001

/**
 * Brings the databases to the newest schema, one after the other, each file in a transaction of its own.
 * Running it again changes nothing. Throws a SettingError for a database that is newer than this program,
 * or whose applied files were altered since.
 */
export async function migrate(urls: readonly string[], folder = projectPath('migrations')): Promise<void> {
  const migrations = await readMigrations(folder)
  for (const url of urls) await withClient(url, (client) => migrateOne(client, migrations))
}

/** Creates the databases that the server does not have yet. `url` names any database of that server. */
export async function createDatabases(url: string, names: readonly string[]): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database')
    for (const name of names) {
      if (rows.some((row) => row.datname === name)) continue
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`)
    }
  })
}

/** One connection for administration; closed whatever happens. Throws a SettingError where none can be had. */
export async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  // Losing the connection fails the query under way; without a listener it would end the process too.
  client.on('error', () => undefined)
  await client.connect().catch((error: unknown) => {
    const reason = error instanceof AggregateError ? error.errors.map(String).join(', ') : String(error)
    throw new SettingError(`No connection to PostgreSQL at ${new URL(url).host}: ${reason}`)
  })
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

async function migrateOne(client: pg.Client, migrations: readonly Migration[]): Promise<void> {
  await client.query('SELECT pg_advisory_lock($1)', [LOCK])
  await client.query(`
    CREATE TABLE IF NOT EXISTS schema_migrations (
      version integer PRIMARY KEY,
      name text NOT NULL,
      checksum text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    )`)
  const { rows: applied } = await client.query<Applied>(
    'SELECT version, name, checksum FROM schema_migrations ORDER BY version',
  )
  refuseForeign(applied, migrations, client.database ?? '')
  for (const migration of migrations.slice(applied.length)) {
    await client.query('BEGIN')
    try {
      await client.query(migration.sql)
      await client.query('INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)', [
        migration.version,
        migration.name,
        migration.checksum,
      ])
      await client.query('COMMIT')
    } catch (error) {
      await client.query('ROLLBACK')
      throw new Error(`Migration ${migration.name} failed`, { cause: error })
    }
  }
}

function refuseForeign(applied: readonly Applied[], known: readonly Migration[], database: string): void {
  applied.forEach((row, index) => {
    const mine = known[index]
    if (mine === undefined)
      throw new SettingError(
        `Database ${database} has migration ${row.name}, newer than this program; update the program`,
      )
    if (mine.name !== row.name || mine.checksum !== row.checksum)
      throw new SettingError(
        `Migration ${row.name} of database ${database} was altered since it was applied; migrations are append-only`,
      )
  })
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  return Promise.all(
    names.map(async (name, index) => {
      const version = index + 1
      if (!/^\d{4}_[a-z0-9_]+\.sql$/.test(name) || Number(name.slice(0, 4)) !== version)
        throw new Error(
          `Migration ${name}: expected ${String(version).padStart(4, '0')}_name.sql, numbered without a gap`,
        )
      const sql = await readFile(join(folder, name), 'utf8')
      return { version, name, checksum: createHash('sha256').update(sql).digest('hex'), sql }
    }),
  )
}
