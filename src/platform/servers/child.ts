import { spawn } from 'node:child_process'
import { createWriteStream, existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { systemClock } from '../clock.ts'
import type { Env } from '../config.ts'
import { EXIT_SETTING } from '../shutdown.ts'
import { signalProcess } from './os-process.ts'

export interface ChildOptions {
  readonly name: string
  /** The TypeScript file to run. */
  readonly file: string
  /** Its whole environment. */
  readonly env: Env
  /** Its log goes to `logs` in there. Named on its command line, so that `ps` tells whose process it is. */
  readonly dataDir: string
  /** For the terminal: restarts, warnings and errors. */
  readonly print: (line: string) => void
  /** Each start, with the new pid. */
  readonly onStart: (pid: number) => void
  /** It ended with EXIT_SETTING and this message; it is not started again. */
  readonly onBadSetting: (message: string) => void
}

export interface Child {
  readonly name: string
  /** Of the process that runs now; undefined between an unexpected end and the next start. */
  pid(): number | undefined
  /** SIGTERM, after `graceMs` SIGKILL; returns when it is gone and never starts again. */
  stop(graceMs: number): Promise<void>
}

const BACKOFF_MS = { first: 100, most: 5000, resetAfterMs: 10_000 }

/** Runs one of our processes and starts it again whenever it ends without being told to. */
export function keepRunning(options: ChildOptions): Child {
  const { name, print } = options
  const stopping = new AbortController()
  const log = openLog(join(options.dataDir, 'logs', `${name}.log`))
  let pid: number | undefined

  const runOnce = () =>
    new Promise<string>((resolve) => {
      let lastError = ''
      const child = spawn(process.execPath, [options.file, options.dataDir], {
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        env: options.env,
      })
      child.once('error', (error) => resolve(error.message))
      if (child.pid === undefined) return
      pid = child.pid
      options.onStart(child.pid)
      eachLine(child.stdout, (line) => {
        log.write(`${line}\n`)
        const readable = warningOf(line)
        if (readable !== undefined) print(`${name}: ${readable}`)
      })
      eachLine(child.stderr, (line) => {
        // Bun ends the account of an error with its own version.
        if (line.trim() !== '' && !line.startsWith('Bun v')) lastError = line
        log.write(`${line}\n`)
      })
      // Not `exit`: its last lines may still be in the pipe then.
      child.once('close', (code, signal) => {
        pid = undefined
        if (code === EXIT_SETTING && !stopping.signal.aborted) {
          stopping.abort()
          options.onBadSetting(lastError || `${name} ended with a bad setting`)
        }
        resolve(`${signal ?? `code ${code}`}${lastError === '' ? '' : `, ${lastError}`}`)
      })
    })

  const ended = (async () => {
    let backoff = BACKOFF_MS.first
    while (!stopping.signal.aborted) {
      const started = systemClock.now()
      const how = await runOnce()
      if (stopping.signal.aborted) break
      if (systemClock.now() - started > BACKOFF_MS.resetAfterMs) backoff = BACKOFF_MS.first
      print(`${name} ended unexpectedly (${how}); starting it again in ${backoff} ms`)
      await systemClock.sleep(backoff, stopping.signal)
      backoff = Math.min(backoff * 2, BACKOFF_MS.most)
    }
    log.end()
  })()

  return {
    name,
    pid: () => pid,
    stop: async (graceMs) => {
      stopping.abort()
      if (pid !== undefined) signalProcess(pid, 'SIGTERM')
      const gone = new AbortController()
      void ended.then(() => gone.abort())
      await systemClock.sleep(graceMs, gone.signal)
      if (pid !== undefined) {
        print(`${name} did not end within ${graceMs} ms and was killed`)
        signalProcess(pid, 'SIGKILL')
      }
      await ended
    },
  }
}

/** The log of the run before is kept as `.old`. */
function openLog(path: string) {
  if (existsSync(path)) renameSync(path, `${path}.old`)
  return createWriteStream(path, { mode: 0o600 })
}

function eachLine(stream: Readable | null, use: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream, crlfDelay: Infinity }).on('line', use)
}

const LEVELS: Readonly<Record<number, string>> = { 40: 'warning', 50: 'error', 60: 'fatal' }

/** A JSON log line of level `warn` or above as something to read; undefined for all others. */
export function warningOf(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined
  let entry: { level?: unknown; msg?: unknown; err?: { message?: unknown } | null }
  try {
    entry = JSON.parse(line) as typeof entry
  } catch {
    return undefined
  }
  const level = typeof entry.level === 'number' ? LEVELS[entry.level] : undefined
  if (level === undefined) return undefined
  const message = typeof entry.msg === 'string' ? entry.msg : ''
  const cause = typeof entry.err?.message === 'string' ? entry.err.message : ''
  return `${level}: ${[message, cause === message ? '' : cause].filter(Boolean).join(': ')}`
}
