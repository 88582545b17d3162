// The way in for every npm script: `node setup/run.mjs [--test] <entry.ts> [args]`.
// Makes sure that what the entry needs is there, then runs it with Bun. Plain Node, no packages: on a new
// machine there are none yet.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { ensurePackages } from './npm.mjs'
import { fail } from './fail.mjs'
import { ensureForTests, ensureNginx, ensureRedis } from './system.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const [first, ...others] = process.argv.slice(2)
const testing = first === '--test'
const [entry, ...args] = testing ? others : [first, ...others]
if (entry === undefined) fail('Usage: node setup/run.mjs [--test] <entry.ts> [arguments]')

const help = args.includes('--help') || args.includes('-h')
const startsServers = args[0] === 'start' && !args.some((arg) => arg.startsWith('--role'))
const startsOwnRedis = testing || entry.startsWith('bench/') || (startsServers && !process.env.REDIS_URL)
if (!help && startsOwnRedis) ensureRedis()
if (!help && startsEdge(args.join(' '))) ensureNginx()
if (testing && !help) ensureForTests()
const bun = await ensurePackages()

const child = spawn(bun, [entry, ...args], { stdio: 'inherit' })
// Without a handler Node would end here and leave the child behind; it ends with the child instead.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => fail(`Bun can not be started: ${error.message}`))
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))

/** The edge is a part of the full profile, and may be asked for; `line` holds command and flags. */
function startsEdge(line) {
  if (/^edge\b/.test(line)) return true
  if (!startsServers || /--no-edge\b/.test(line)) return false
  const profile = /--profile[ =](\S+)/.exec(line)?.[1] ?? process.env.PROFILE
  return profile === 'full' || /--edge\b/.test(line)
}
