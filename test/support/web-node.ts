import { spawn } from 'node:child_process'
import { createWireClient, type WireClient } from '../../sim/wire/client.ts'
import { projectPath } from '../../src/platform/project.ts'
import { freePort } from '../../src/platform/servers/ports.ts'

/** A web process of its own, as it runs in production beside others of its kind. */
export interface WebNode {
  readonly port: number
  /** Over few connections, kept open. */
  readonly wire: WireClient
  kill9(): Promise<void>
  stop(): Promise<void>
}

/** Resolves when it answers. `env`: its settings; throws with its output where it ends instead. */
export async function startWebNode(env: Readonly<Record<string, string>>): Promise<WebNode> {
  const port = await freePort()
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [projectPath('src/processes/web.ts')], {
    env: { PATH, HOME, ...env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-10_000)))
  const exit = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const wire = createWireClient({ address: '127.0.0.1', port, connections: 64, timeoutMs: 10_000 })
  const end = async (signal: NodeJS.Signals) => {
    wire.close()
    child.kill(signal)
    await exit
  }
  const deadline = performance.now() + 60_000
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
  while (!(await isReady())) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await end('SIGKILL')
      throw new Error(`web is not ready:\n${output}`)
    }
    await Bun.sleep(50)
  }
  return { port, wire, kill9: () => end('SIGKILL'), stop: () => end('SIGTERM') }
}
