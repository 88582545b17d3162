import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readRunFile, type RunFile } from '../../src/platform/servers/data-dir.ts'
import { isRunning, readPidFile } from '../../src/platform/servers/os-process.ts'
import { freePort, portIsFree } from '../../src/platform/servers/ports.ts'

/** A folder that every user may enter, as a project's usually is. */
export async function openFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'doorbuster-setup-'))
  await chmod(folder, 0o755)
  return folder
}

export const removeFolder = (folder: string) => rm(folder, { recursive: true, force: true })

/** Resolves with the first answer that is neither undefined nor false. */
export async function until<T>(what: string, look: () => T | undefined | false, ms = 15_000): Promise<T> {
  const deadline = Date.now() + ms
  for (;;) {
    const found = look()
    if (found !== undefined && found !== false) return found
    if (Date.now() > deadline) throw new Error(`Not within ${ms} ms: ${what}`)
    await Bun.sleep(10)
  }
}

/** Two ports in a row: the second is the sandbox's. */
export async function portPair(): Promise<number> {
  for (;;) {
    const port = await freePort()
    if (port < 65_535 && (await portIsFree(port + 1))) return port
  }
}

/** A supervisor of throw-away processes (test/setup/fixture). */
export class Started {
  readonly process: ChildProcess
  readonly exit: Promise<number | null>
  output = ''
  readonly dataDir: string

  constructor(
    dataDir: string,
    port: number,
    options: { fresh?: boolean; env?: Record<string, string> } = {},
  ) {
    this.dataDir = dataDir
    const entry = join(import.meta.dirname, 'fixture/start.ts')
    const args = [entry, dataDir, String(port), ...(options.fresh ? ['--fresh'] : [])]
    const { PATH = '', HOME = '' } = process.env
    this.process = spawn(process.execPath, args, { env: { PATH, HOME, ...options.env } })
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()))
    this.exit = new Promise((resolve) => this.process.once('close', (code) => resolve(code)))
  }

  get pid(): number {
    return this.process.pid ?? 0
  }

  run(): RunFile | undefined {
    return readRunFile(this.dataDir)
  }

  async ready(): Promise<RunFile> {
    void this.exit.then((code) => (this.output += `\n[exit ${code}]`))
    await until('the start screen', () => {
      if (this.output.includes('[exit')) throw new Error(`ended at start:\n${this.output}`)
      return this.output.includes('Ctrl-C stops')
    })
    const run = this.run()
    if (run === undefined) throw new Error('no run.json')
    return run
  }

  /** Pids of everything that runs in the data folder: the servers and our processes. */
  pids(): number[] {
    const servers = ['redis/redis.pid', 'postgres/data/postmaster.pid']
      .map((file) => readPidFile(join(this.dataDir, file)))
      .filter((pid) => pid !== undefined)
    return [...Object.values(this.run()?.processes ?? {}), ...servers]
  }

  /** Sends a signal and waits for the end. `ms`: how long that took. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<{ code: number | null; ms: number }> {
    const began = performance.now()
    this.process.kill(signal)
    const code = await this.exit
    return { code, ms: performance.now() - began }
  }

  static anyLeft(pids: readonly number[]): number[] {
    return pids.filter(isRunning)
  }

  has(file: string): boolean {
    return existsSync(join(this.dataDir, file))
  }
}
