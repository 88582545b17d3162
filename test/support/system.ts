import { spawn } from 'node:child_process'
import { projectPath } from '../../src/platform/project.ts'
import { readRunFile, type RunFile } from '../../src/platform/servers/data-dir.ts'
import { openFolder, portPair, removeFolder, until } from '../setup/started.ts'

/** The whole system, started as `npm start` starts it, on ports and in a folder of its own. */
export interface RunningSystem {
  readonly dataDir: string
  readonly port: number
  /** Addresses and pids, as they are now. */
  run(): RunFile
  /** Everything it printed so far. */
  output(): string
  /** Ctrl-C; resolves with the exit code, everything it started is gone. */
  stop(): Promise<number | null>
}

export interface SystemOptions {
  readonly profile?: 'embedded' | 'full'
  readonly opensInS?: number
  /** nginx in front; left out unless asked for. */
  readonly edge?: boolean
  readonly env?: Readonly<Record<string, string>>
}

export async function startSystem(options: SystemOptions = {}): Promise<RunningSystem> {
  const { profile = 'embedded', opensInS = 0, edge = false, env = {} } = options
  const [dataDir, port] = [await openFolder(), await portPair()]
  const own = ['--port', String(port), '--data-dir', dataDir]
  const flags = ['--profile', profile, edge ? '--edge' : '--no-edge', ...own]
  const system = spawn(
    process.execPath,
    [projectPath('src/doorbuster.ts'), 'start', ...flags, '--opens-in', String(opensInS)],
    // A machine busy with the whole suite would have requests turned away that a test sends but once.
    { env: { ...process.env, SHEDDING: '0', ...env } },
  )
  let output = ''
  for (const stream of [system.stdout, system.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const exit = new Promise<number | null>((resolve) => system.once('close', resolve))
  const run = () => {
    const found = readRunFile(dataDir)
    if (found === undefined) throw new Error('no run.json')
    return found
  }
  const stop = async () => {
    system.kill('SIGINT')
    const code = await exit
    await removeFolder(dataDir)
    return code
  }
  try {
    await until(
      'the start screen',
      () => {
        if (system.exitCode !== null) throw new Error(`ended at start:\n${output}`)
        return output.includes('Ctrl-C stops')
      },
      180_000,
    )
  } catch (error) {
    await stop()
    throw error
  }
  return { dataDir, port, run, output: () => output, stop }
}
