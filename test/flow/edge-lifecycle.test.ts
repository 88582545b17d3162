import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { commandLine, readPidFile, signalProcess } from '../../src/platform/servers/os-process.ts'
import { freePort, portIsFree } from '../../src/platform/servers/ports.ts'
import { projectPath } from '../../src/platform/project.ts'
import { until } from '../setup/started.ts'
import { skipLoudly } from '../support/edge.ts'
import { type RunningSystem, startSystem } from '../support/system.ts'
import { eventually } from '../support/stripe.ts'

// How the edge comes, stays and goes: with `npm start -- --edge`, and beside what runs with `npm run edge`.

const skip = skipLoudly()
let system: RunningSystem
beforeAll(async () => {
  if (!skip) system = await startSystem({ edge: true })
}, 200_000)
afterAll(async () => void (await system?.stop()))

const answers = async (port: number, host = 'shop') => {
  const headers = { Host: `${host}.localhost:${port}` }
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers, redirect: 'manual' }).catch(
    () => undefined,
  )
  return answer?.status === 200 && answer.headers.has('cache-status') ? answer : undefined
}
const nginxPid = () => readPidFile(join(system.dataDir, 'edge/nginx.pid')) ?? 0

describe.skipIf(skip)('the edge', () => {
  test('has the public port and its addresses, runs as nobody in particular, and `web` is behind it', async () => {
    const { port, edge_port, urls, trusted_proxies, processes } = system.run()
    expect([edge_port, trusted_proxies]).toEqual([system.port, 1])
    expect(port).not.toBe(system.port)
    expect(Object.keys(processes)).toContain('edge')
    expect(urls.shop).toBe(`http://shop.localhost:${system.port}`)
    // Pages send their reader to the edge, never past it.
    const page = await (await answers(system.port))?.text()
    expect(page).toContain(urls.queue)
    expect(page).not.toContain(String(port))
    expect(commandLine(nginxPid())).toContain(system.dataDir)
  })

  test('is there again after nginx was killed, its workers too, and after whoever looks after it was', async () => {
    for (const victim of [nginxPid, () => system.run().processes['edge'] ?? 0]) {
      const before = nginxPid()
      signalProcess(victim(), 'SIGKILL')
      await eventually(
        async () => nginxPid() !== before && (await answers(system.port)) !== undefined,
        15_000,
      )
    }
  }, 40_000)

  test('stands beside what runs, on a port of its own, and ends with it', async () => {
    const port = await freePort()
    const args = ['edge', '--port', String(port), '--data-dir', system.dataDir]
    const beside = spawn(process.execPath, [projectPath('src/doorbuster.ts'), ...args])
    let output = ''
    for (const stream of [beside.stdout, beside.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
    const exit = new Promise<number | null>((resolve) => beside.once('close', resolve))
    await until('the second door', () => output.includes('Ctrl-C stops it'), 60_000)
    expect(output).toContain(`http://queue.localhost:${port}/`)
    const page = await (await answers(port))?.text()
    expect(page).toContain(`http://queue.localhost:${port}`)
    expect(await answers(system.port)).toBeDefined()

    const nginx = nginxPid()
    expect(await system.stop()).toBe(0)
    expect(await exit).toBe(1)
    expect(output).toEndWith('Doorbuster was stopped, and so is the edge in front of it\n')
    expect([commandLine(nginx), existsSync(system.dataDir)]).toEqual(['', false])
    expect(await Promise.all([portIsFree(port), portIsFree(system.port)])).toEqual([true, true])
  }, 90_000)
})
