import { afterEach, beforeEach, expect, test } from 'bun:test'
import { spawn, spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readPidFile, untilGone } from '../../src/platform/servers/os-process.ts'
import { openFolder, removeFolder, until } from './started.ts'

// A project of its own with the real set-up and the real npm. Its one dependency is a folder whose `bun` is the
// Bun that runs this test, so nothing is fetched.
let project: string
beforeEach(async () => {
  project = await openFolder()
  cpSync(join(import.meta.dirname, '../../setup'), join(project, 'setup'), { recursive: true })
  for (const folder of ['packages/bun', 'path']) mkdirSync(join(project, folder), { recursive: true })
  const bun = { name: 'bun', version: '1.0.0', bin: { bun: 'bun.sh' } }
  writeFileSync(join(project, 'packages/bun/package.json'), JSON.stringify(bun))
  writeFileSync(join(project, 'packages/bun/bun.sh'), `#!/bin/sh\nexec ${process.execPath} "$@"\n`, {
    mode: 0o755,
  })
  const dependencies = { bun: 'file:packages/bun' }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'p', version: '1.0.0', dependencies }))
  const lock = {
    name: 'p',
    version: '1.0.0',
    lockfileVersion: 3,
    packages: {
      '': { name: 'p', version: '1.0.0', dependencies },
      'node_modules/bun': { resolved: 'packages/bun', link: true },
      'packages/bun': bun,
    },
  }
  writeFileSync(join(project, 'package-lock.json'), JSON.stringify(lock))
  writeFileSync(
    join(project, 'entry.ts'),
    'console.log(`ran ${process.argv.slice(2).join(" ")}`); process.exit(7)',
  )
})
afterEach(() => removeFolder(project))

const npm = realpathSync(Bun.which('npm') ?? '')
const node = Bun.which('node') ?? ''

/** PATH holds these programs only: no package manager, no Redis unless named. */
function environment(programs: string[] = []): Record<string, string> {
  for (const program of ['sh', 'node', ...programs])
    symlinkSync(Bun.which(program) ?? '', join(project, 'path', program))
  return { PATH: join(project, 'path'), HOME: project, npm_execpath: npm }
}

function run(env: Record<string, string>, ...args: string[]) {
  const done = spawnSync(node, [join(project, 'setup/run.mjs'), ...args], { env, encoding: 'utf8', cwd: '/' })
  return { code: done.status, out: done.stdout, err: done.stderr }
}

test('packages are installed the first time and when the lock file changes; the exit code is that of the entry', () => {
  const env = environment()
  const installing = 'Installing packages with npm ci (only now and when package-lock.json changes)\n'
  expect(run(env, 'entry.ts', 'a', 'b')).toEqual({ code: 7, out: 'ran a b\n', err: installing })
  expect(run(env, 'entry.ts')).toEqual({ code: 7, out: 'ran \n', err: '' })
  appendFileSync(join(project, 'package-lock.json'), '\n')
  expect(run(env, 'entry.ts')).toEqual({ code: 7, out: 'ran \n', err: installing })
}, 30_000)

test('a failed installation shows what npm said and starts nothing', () => {
  const env = environment()
  writeFileSync(join(project, 'package-lock.json'), '{}')
  const { code, out, err } = run(env, 'entry.ts')
  expect(code).toBe(1)
  expect(out).toBe('')
  expect(err).toContain('npm ci failed; nothing was started')
  expect(err).toContain('package-lock.json')
}, 30_000)

test('a missing redis-server that can not be installed is one line and exit code 1', () => {
  const { code, err } = run(environment(), 'entry.ts', 'start')
  expect(code).toBe(1)
  expect(err.trimEnd().split('\n')).toEqual([
    'redis-server is missing. Install it, or set REDIS_URL to one you have: ' +
      'Debian, Ubuntu: sudo apt-get install redis-server - Fedora: sudo dnf install redis - ' +
      'Alpine: sudo apk add redis - Arch: sudo pacman -S redis - macOS: brew install redis',
  ])
})

test('Redis is not asked for where it is not needed', () => {
  const env = environment()
  for (const args of [['start', '--help'], ['rush'], ['start', '--role', 'web']])
    expect(run(env, 'entry.ts', ...args)).toMatchObject({ code: 7, out: `ran ${args.join(' ')}\n` })
  expect(run({ ...env, REDIS_URL: 'redis://elsewhere' }, 'entry.ts', 'start').code).toBe(7)
}, 30_000)

test('a signal reaches the entry, whose clean end is ours', async () => {
  writeFileSync(
    join(project, 'entry.ts'),
    `process.on('SIGINT', () => { console.log('stopped'); process.exit(0) }); console.log('up'); setInterval(() => {}, 1000)`,
  )
  const child = spawn(node, [join(project, 'setup/run.mjs'), 'entry.ts'], { env: environment() })
  const exit = new Promise((resolve) => child.once('close', resolve))
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await until('the entry to run', () => output.includes('up'))
  child.kill('SIGINT')
  expect(await exit).toBe(0)
  expect(output).toBe('up\nstopped\n')
}, 30_000)

test('Ctrl-C during the installation leaves no npm behind that would go on writing', async () => {
  // npm runs this while it installs.
  writeFileSync(
    join(project, 'packages/bun/package.json'),
    JSON.stringify({
      name: 'bun',
      version: '1.0.0',
      bin: 'bun.sh',
      scripts: { install: 'echo $$ >pid; sleep 60' },
    }),
  )
  const child = spawn(node, [join(project, 'setup/run.mjs'), 'entry.ts'], { env: environment(['sleep']) })
  const exit = new Promise((resolve) => child.once('close', resolve))
  const sleeping = await until('the installation', () => readPidFile(join(project, 'packages/bun/pid')))
  child.kill('SIGINT')
  expect(await exit).toBe(130)
  expect(await untilGone(sleeping, 2000)).toBe(true)
}, 30_000)
