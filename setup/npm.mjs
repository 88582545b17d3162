import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fail } from './fail.mjs'

/** Says which package-lock.json node_modules was installed from. npm removes it together with the folder. */
const STAMP = 'node_modules/.installed-from'

/** Runs `npm ci` when node_modules is missing or belongs to another package-lock.json; the path of Bun. */
export function ensurePackages() {
  if (Number.parseInt(process.versions.node) < 20)
    fail(`Node ${process.versions.node} is too old; Doorbuster's set-up needs Node 20 or newer`)
  const bun = resolve('node_modules/.bin/bun')
  const wanted = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex')
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return bun

  console.error('Installing packages with npm ci (only now and when package-lock.json changes)')
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  // The npm that runs this script, where one does; otherwise the one on the PATH.
  const npm = process.env.npm_execpath
  const done = npm ? run(process.execPath, [npm, ...args]) : run('npm', args)
  if (done.status !== 0) fail(`${done.output}\nnpm ci failed; nothing was started`)
  // Where npm is told to run no install scripts, Bun has not put its binary in place yet.
  if (run(bun, ['--version']).status !== 0) run(process.execPath, ['node_modules/bun/install.js'])
  const check = run(bun, ['--version'])
  if (check.status !== 0) fail(`Bun does not run on this machine: ${check.output.trim()}`)
  writeFileSync(STAMP, wanted)
  return bun
}

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 26 })
  return { status, output: error ? error.message : `${stdout}${stderr}`.trim() }
}
