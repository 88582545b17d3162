import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Env, environment } from '../../src/platform/config.ts'
import { type Child, keepRunning } from '../../src/platform/servers/child.ts'
import { freePorts, startOnFreePorts } from '../../src/platform/servers/ports.ts'
import { projectPath } from '../../src/platform/project.ts'
import { supervise } from '../../src/platform/servers/supervisor.ts'
import { findTarget, type Target } from '../target.ts'

/** The real system as `npm start` starts it, on ports and in a folder of its own, with no sale in it. */
export interface System {
  readonly target: Target
  readonly dataDir: string
  /** Starts one more process of a role under a name of its own; it is started again until it is stopped. */
  more(role: string, name: string): Child
  /** What the supervisor and those processes have said so far. */
  readonly said: readonly string[]
  stop(): Promise<void>
}

/** A folder for one run. PostgreSQL runs as a user of its own where we are root. */
export async function openFolder(what: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `doorbuster-scale-${what}-`))
  await chmod(folder, 0o755)
  return folder
}

export const removeFolder = (folder: string) => rm(folder, { recursive: true, force: true })

/** `env`: where servers are that run already, and settings; they win over what is made here. `port`: else a free one. */
export const startSystem = (
  profile: 'embedded' | 'full',
  dataDir: string,
  env: Env = {},
  port?: number,
): Promise<System> => startOnFreePorts(async () => start(profile, dataDir, env, port ?? (await freePorts(3))))

async function start(profile: 'embedded' | 'full', dataDir: string, env: Env, port: number): Promise<System> {
  const said: string[] = []
  const stopping = new AbortController()
  const processFile = (role: string) => projectPath(`src/processes/${role}.ts`)
  const ready = Promise.withResolvers<Env>()
  const running = supervise(
    {
      ...{ profile, port, dataDir, fresh: false, processFile },
      env: { ...environment(), STRIPE_API_URL: '', ...env },
      print: (line) => said.push(line),
      onReady: async (_run, made) => {
        ready.resolve(made)
        return undefined
      },
    },
    stopping.signal,
  )
  running.catch((error: unknown) => ready.reject(error))
  const others: Child[] = []
  const stop = async () => {
    await Promise.all(others.map((child) => child.stop(2000)))
    stopping.abort()
    await running.catch(() => undefined)
  }
  try {
    const made = await ready.promise
    return {
      ...{ dataDir, said, stop },
      target: await findTarget(dataDir),
      more: (role, name) => {
        const child = keepRunning({
          ...{ name, file: processFile(role), dataDir, env: { ...made, WORKER_NAME: name } },
          print: (line) => said.push(line),
          onStart: () => undefined,
          onBadSetting: (message) => said.push(message),
        })
        others.push(child)
        return child
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}
