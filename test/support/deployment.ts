/** A cluster of a kind: pods are processes as the manifests say, Services hand connections to those that are ready. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/platform/clock.ts'
import { projectPath } from '../../src/platform/project.ts'
import { freePort } from '../../src/platform/servers/ports.ts'
import { environmentOf, type Probe, readSettings, type Workload } from './manifests.ts'

/** A second of a preStop hook here: nobody has to be told over a network that a pod is leaving. */
const SECOND_MS = 50
const PROBE_MS = 50

export interface Pod {
  readonly name: string
  /** Of its container, by name. */
  readonly port: number
  readonly stop: () => Promise<void>
}

/** Hands each connection to one that is ready, in turns. */
export async function startService() {
  const [ready, open] = [[] as number[], new Set<Socket>()]
  let turn = 0
  const server = createServer((client) => {
    const port = ready[turn++ % Math.max(1, ready.length)]
    if (port === undefined) return client.destroy()
    const pod = connect({ host: '127.0.0.1', port })
    for (const [one, other] of [
      [client, pod],
      [pod, client],
    ] as const) {
      open.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        open.delete(one)
        other.end()
      })
      one.pipe(other)
    }
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    port,
    add: (of: number) => void ready.push(of),
    remove: (of: number) => void ready.splice(0, ready.length, ...ready.filter((one) => one !== of)),
    stop: () => {
      for (const socket of open) socket.destroy()
      server.close()
    },
  }
}
export type Service = Awaited<ReturnType<typeof startService>>

/** `own`: settings in place of those that name servers, addresses and secrets. */
export function createCluster(own: Readonly<Record<string, string>>) {
  const settings = readSettings()
  const folders: string[] = []
  const running = new Set<() => void>()
  const started: Record<string, number> = {}

  const launch = async ({ name, kind, container }: Workload, podName: string) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'doorbuster-pod-'))
    folders.push(dataDir)
    const ports = Object.fromEntries(
      await Promise.all(container.ports.map(async (port) => [port.name, await freePort()] as const)),
    )
    const env = environmentOf(container, settings, podName)
    // Of the machine and not of the manifest: ports are taken, and nothing listens but on the loopback interface.
    const given: Record<string, string> = {
      ...Object.fromEntries(Object.entries(own).filter(([setting]) => setting in env)),
      ...{ DATA_DIR: dataDir, PATH: process.env['PATH'] ?? '', HOME: dataDir },
    }
    for (const [setting, port] of [
      ['PORT', 'http'],
      ['EDGE_PORT', 'http'],
      ['HEALTH_PORT', 'health'],
    ] as const)
      if (setting in env) given[setting] = String(ports[port] ?? (await freePort()))
    // Whatever else the machine is busy with must not turn buyers away.
    given['SHEDDING'] = '0'
    for (const host of ['HOST', 'EDGE_HOST']) if (host in env) given[host] = '127.0.0.1'
    const [, ...args] = container.command
    const child = spawn(process.execPath, args, {
      ...{ cwd: projectPath('.'), env: { ...env, ...given }, stdio: ['ignore', 'pipe', 'pipe'] },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (part: Buffer) => (output = (output + part.toString()).slice(-4000)))
    const kill = () => void child.kill('SIGKILL')
    running.add(kill)
    const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
    void exit.then(() => running.delete(kill))
    started[name] = (started[name] ?? 0) + 1
    return { child, exit, ports, output: () => `${kind} ${podName}:\n${output}` }
  }

  /** Runs a Job to its end. Throws with its output where that is no good one. */
  const complete = async (workload: Workload) => {
    const { exit, output } = await launch(workload, workload.name)
    if ((await exit) !== 0) throw new Error(output())
  }

  /** Starts a pod, waits until its probes say that it is ready, and adds it to its Service. */
  const start = async (workload: Workload, podName: string, service?: Service): Promise<Pod> => {
    const { container, pod } = workload
    const { child, exit, ports, output } = await launch(workload, podName)
    for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe]) {
      const deadline = systemClock.now() + 60_000
      while (!(await passes(probe, ports))) {
        if (child.exitCode !== null || systemClock.now() > deadline) throw new Error(output())
        await systemClock.sleep(PROBE_MS)
      }
    }
    const port = ports['http'] ?? ports['health'] ?? 0
    service?.add(port)
    return {
      name: podName,
      port,
      stop: async () => {
        service?.remove(port)
        const seconds = container.lifecycle?.preStop.sleep.seconds ?? 0
        await systemClock.sleep(seconds * SECOND_MS)
        child.kill('SIGTERM')
        const late = systemClock
          .sleep((pod.terminationGracePeriodSeconds - seconds) * 1000)
          .then(() => 'late')
        const code = await Promise.race([exit, late])
        if (code !== 0) throw new Error(`ended with ${code}: ${output()}`)
      },
    }
  }
  return {
    complete,
    start,
    /** As its controller does: a new one before the old one goes, or the old one first. */
    roll: async (workload: Workload, old: Pod, service?: Service): Promise<Pod> => {
      const begin = (name: string) => start(workload, name, service)
      const next = workload.surges ? await begin(`${old.name}-new`) : undefined
      await old.stop()
      return next ?? begin(old.name)
    },
    started,
    [Symbol.asyncDispose]: async () => {
      for (const kill of running) kill()
      await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })))
    },
  }
}

async function passes(probe: Probe | undefined, ports: Readonly<Record<string, number>>): Promise<boolean> {
  const asked = probe?.httpGet ?? probe?.tcpSocket
  if (asked === undefined) return true
  const port = typeof asked.port === 'number' ? asked.port : ports[asked.port]
  if (probe?.httpGet !== undefined)
    return fetch(`http://127.0.0.1:${port}${probe.httpGet.path}`).then(
      ({ ok }) => ok,
      () => false,
    )
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: port ?? 0 }, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
