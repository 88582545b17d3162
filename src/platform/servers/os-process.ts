import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { systemClock } from '../clock.ts'

/** A user to run as; undefined: the user we are. */
export type RunAs = { readonly uid: number; readonly gid: number } | undefined

export interface Spawned {
  readonly pid: number
  /** Exit code and signal; never rejects. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/**
 * Starts a server in a process group of its own, so that Ctrl-C in the terminal reaches only whoever
 * supervises it. Its output is appended to `logFile`. Throws where the command can not be started.
 */
export async function spawnDetached(
  command: string,
  args: readonly string[],
  options: { logFile: string; runAs?: RunAs; cwd?: string; env?: NodeJS.ProcessEnv },
): Promise<Spawned> {
  const log = openSync(options.logFile, 'a', 0o600)
  try {
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: options.cwd ?? '/',
      ...(options.env ? { env: options.env } : {}),
      ...(options.runAs ?? {}),
    })
    return { pid: await spawnedPid(child), exited: exitOf(child) }
  } finally {
    closeSync(log)
  }
}

/** The pid once the command runs; rejects with the system's error where it can not be started. */
export function spawnedPid(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    if (child.pid !== undefined) resolve(child.pid)
  })
}

export function exitOf(child: ChildProcess): Spawned['exited'] {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
}

/** The command line of a running process, arguments joined by spaces; '' for none or a zombie. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    if (process.platform === 'linux') return ''
    const ps = spawnSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
    return ps.stdout.trim()
  }
}

/** Whether the process still runs; a zombie does not. */
export const isRunning = (pid: number) => commandLine(pid) !== ''

/** Waits until the process is gone. False when it still runs after `timeoutMs`. */
export async function untilGone(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = systemClock.now() + timeoutMs
  while (isRunning(pid)) {
    if (systemClock.now() >= deadline) return false
    await systemClock.sleep(10)
  }
  return true
}

/** Sends each signal in turn, giving the process `graceMs` after each; returns when it is gone. */
export async function stopProcess(
  pid: number,
  signals: readonly NodeJS.Signals[],
  graceMs: number,
): Promise<void> {
  for (const signal of signals) {
    signalProcess(pid, signal)
    if (await untilGone(pid, graceMs)) return
  }
  throw new Error(`Process ${pid} does not end (${commandLine(pid).slice(0, 120)})`)
}

/** Sends a signal; a process that is already gone is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** The first number in a pid file; undefined where there is none. */
export function readPidFile(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(path, 'utf8'), 10)
    return pid > 1 ? pid : undefined
  } catch {
    return undefined
  }
}

/** The last lines of a log, for an error message. */
export function lastLines(path: string, count = 3): string {
  try {
    return readFileSync(path, 'utf8').trim().split('\n').slice(-count).join(' | ')
  } catch {
    return 'no log'
  }
}
