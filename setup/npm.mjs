import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fail } from './fail.mjs'

/** Says which package-lock.json node_modules was installed from. npm removes it together with the folder. */
const STAMP = 'node_modules/.installed-from'
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Runs `npm ci` when node_modules is missing or belongs to another package-lock.json; the path of Bun. */
export async function ensurePackages() {
  if (Number.parseInt(process.versions.node) < 20)
    fail(`Node ${process.versions.node} is too old; Doorbuster's set-up needs Node 20 or newer`)
  const bun = resolve('node_modules/.bin/bun')
  const wanted = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex')
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return bun

  console.error('Installing packages with npm ci (only now and when package-lock.json changes)')
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  // The npm that runs this script, where one does; otherwise the one on the PATH.
  const npm = process.env.npm_execpath
  const done = await (npm ? run(process.execPath, [npm, ...args]) : run('npm', args))
  if (done.status !== 0) fail(`${done.output}\nnpm ci failed; nothing was started`)
  // Where npm is told to run no install scripts, Bun has not put its binary in place yet.
  if ((await run(bun, ['--version'])).status !== 0)
    await run(process.execPath, ['node_modules/bun/install.js'])
  const check = await run(bun, ['--version'])
  if (check.status !== 0) fail(`Bun does not run on this machine: ${check.output.trim()}`)
  writeFileSync(STAMP, wanted)
  return bun
}

/**
 * Runs to the end and gathers what it says. In a process group of its own, which ends with us: npm holds off a
 * Ctrl-C and would go on writing into node_modules beside the next start.
 */
function run(command, args) {
  const child = spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const stop = () => {
    process.kill(-child.pid, 'SIGKILL')
    process.exit(130)
  }
  for (const signal of SIGNALS) process.on(signal, stop)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ status: null, output: error.message }))
    child.once('close', (status) => resolve({ status, output: output.trim() }))
  }).finally(() => SIGNALS.forEach((signal) => process.off(signal, stop)))
}
