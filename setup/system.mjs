import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fail } from './fail.mjs'

/**
 * Debian's redis-server and nginx would start a service of their own, at once and at every boot. Set-up installs the
 * programs only: a policy-rc.d (made for the moment, unless the machine has one) keeps it from starting.
 */
const APT = `
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  trap 'exit 1' INT TERM
  printf '#!/bin/sh\\nexit 101\\n' >$policy && chmod 755 $policy
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -q update && apt-get -q install -y PACKAGE || exit 1
case PACKAGE in redis-server | nginx)
  if command -v systemctl >/dev/null; then systemctl disable PACKAGE || true; fi ;;
esac
`

/** By the program each system is known by: `script` is run by a shell, `manual` is shown to a person. */
const MANAGERS = [
  {
    program: 'apt-get',
    system: 'Debian, Ubuntu',
    redis: 'redis-server',
    script: APT,
    manual: 'sudo apt-get install',
  },
  {
    program: 'dnf',
    system: 'Fedora',
    redis: 'redis',
    script: 'dnf install -q -y PACKAGE',
    manual: 'sudo dnf install',
  },
  { program: 'apk', system: 'Alpine', redis: 'redis', script: 'apk add -q PACKAGE', manual: 'sudo apk add' },
  {
    program: 'pacman',
    system: 'Arch',
    redis: 'redis',
    script: 'pacman -S --noconfirm PACKAGE',
    manual: 'sudo pacman -S',
  },
  {
    program: 'brew',
    system: 'macOS',
    redis: 'redis',
    script: 'brew install -q PACKAGE',
    manual: 'brew install',
    asUser: true,
  },
]

/** Installs redis-server where it is missing and we may; else ends with the line that tells how. */
export function ensureRedis() {
  need('redis-server', (manager) => manager.redis, 'Install it, or set REDIS_URL to one you have')
}

/** The same for the edge. Its package is called nginx everywhere. */
export function ensureNginx() {
  need('nginx', () => 'nginx', 'Install it, or start with --no-edge')
}

function need(program, packageOf, advice) {
  if (onPath(program)) return
  const manager = MANAGERS.find((one) => onPath(one.program))
  const how = (manager ? [manager] : MANAGERS)
    .map((one) => `${manager ? '' : `${one.system}: `}${one.manual} ${packageOf(one)}`)
    .join(' - ')
  const missing = `${program} is missing. ${advice}: ${how}`
  if (!manager) fail(missing)
  const problem = install(manager, packageOf(manager))
  if (problem || !onPath(program)) fail([problem, missing].filter(Boolean).join('\n'))
}

/** What only some tests need. They are left out without it, except in CI, where that would hide them. */
export function ensureForTests() {
  wish(['chromium', 'chromium-browser', 'google-chrome'], 'the tests in a browser')
  wish(['nginx'], 'the tests of the edge')
}

function wish(programs, what) {
  if (programs.some(onPath)) return
  const [name] = programs
  const manager = MANAGERS.find((one) => onPath(one.program))
  const problem = manager ? install(manager, name) : 'no known package manager'
  if (onPath(name)) return
  if (process.env.CI === 'true') fail(`${problem}\n${name} is missing; CI needs it for ${what}`)
  console.error(`${name} is missing and could not be installed: ${what} are left out`)
}

/** Undefined when it worked, else the reason, which may be the package manager's whole output. */
function install(manager, name) {
  const root = process.getuid?.() === 0
  const sudo = !root && !manager.asUser
  if (sudo && spawnSync('sudo', ['-n', 'true']).status !== 0) return undefined
  console.error(`Installing ${name} with ${manager.program}`)
  const command = ['sh', '-c', manager.script.replaceAll('PACKAGE', name)]
  const [program, ...args] = sudo ? ['sudo', '-n', ...command] : command
  const done = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 26 })
  return done.status === 0 ? undefined : `${done.stdout}${done.stderr}`.trim()
}

function onPath(program) {
  // Debian keeps nginx where only root's PATH leads.
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
