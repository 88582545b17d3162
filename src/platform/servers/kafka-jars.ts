import { spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SettingError } from '../errors.ts'
import { projectPath } from '../project.ts'

const POM = projectPath('setup/kafka/pom.xml')
const STAMP = '.pom-sha256'
const OLDEST_JAVA = 17

/**
 * Makes sure `libs` holds the broker's jars: copies them there with Maven when they are missing or
 * `setup/kafka/pom.xml` has changed. Safe when two processes do it at once.
 * Throws a SettingError of one line when Java or Maven is missing, or the download failed.
 */
export async function ensureKafkaJars(libs: string, log: (line: string) => void): Promise<void> {
  const wanted = createHash('sha256')
    .update(await readFile(POM))
    .digest('hex')
  await requireJava()
  const found = await readFile(join(libs, STAMP), 'utf8').catch(() => '')
  if (found === wanted) return

  log('Fetching Apache Kafka with Maven (about 45 MB, once)')
  const partial = `${libs}.${randomUUID()}`
  await mkdir(dirname(libs), { recursive: true })
  try {
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${partial}`]
    const { code, output } = await run('mvn', ['-q', '-B', '-f', POM, ...goal])
    if (code === undefined) throw new SettingError(`Kafka's jars need Maven. ${install('maven')}`)
    if (code !== 0) throw new Error(`Maven could not fetch Kafka's jars: ${firstError(output)}`)
    await writeFile(join(partial, STAMP), wanted)
    await rm(libs, { recursive: true, force: true })
    // Whoever renames first wins; the other's copy is the same.
    await rename(partial, libs).catch((error: unknown) => {
      if (!existsSync(join(libs, STAMP))) throw error
    })
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

async function requireJava(): Promise<void> {
  const { code, output } = await run('java', ['-version'])
  const version = /version "(\d+)/.exec(output)?.[1]
  if (code !== 0 || version === undefined)
    throw new SettingError(`Kafka needs Java ${OLDEST_JAVA} or newer. ${install('java')}`)
  if (Number(version) < OLDEST_JAVA)
    throw new SettingError(`Kafka needs Java ${OLDEST_JAVA} or newer, this is ${version}. ${install('java')}`)
}

const PACKAGES = [
  {
    manager: '/usr/bin/apt-get',
    java: 'apt-get install openjdk-17-jre-headless',
    maven: 'apt-get install maven',
  },
  { manager: '/usr/bin/dnf', java: 'dnf install java-21-openjdk-headless', maven: 'dnf install maven' },
  { manager: '/usr/bin/pacman', java: 'pacman -S jre-openjdk-headless', maven: 'pacman -S maven' },
  { manager: '/sbin/apk', java: 'apk add openjdk17-jre-headless', maven: 'apk add maven' },
] as const

/** The line that says how to install a tool here, or do without it. */
function install(tool: 'java' | 'maven'): string {
  const instead = 'or set KAFKA_BROKERS to a broker that runs already.'
  const found = PACKAGES.find((one) => existsSync(one.manager))
  if (found !== undefined) return `Install it with: sudo ${found[tool]} - ${instead}`
  if (process.platform === 'darwin')
    return `Install it with: brew install ${tool === 'java' ? 'openjdk' : 'maven'} - ${instead}`
  const site = tool === 'java' ? 'https://adoptium.net' : 'https://maven.apache.org/install.html'
  return `Install it from ${site} - ${instead}`
}

function firstError(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  return (lines.find((line) => line.includes('ERROR')) ?? lines[0] ?? 'it said nothing').trim()
}

/** Runs a tool to its end; code is undefined when there is no such tool. */
export function run(command: string, args: string[]): Promise<{ code: number | undefined; output: string }> {
  return new Promise((resolve) => {
    let output = ''
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', () => resolve({ code: undefined, output }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
