import { afterEach, beforeEach, expect, test } from 'bun:test'
import { connectRedis, unsafeSettings } from '../redis.ts'
import { openFolder, removeFolder } from '../../../test/setup/started.ts'
import { isRunning, signalProcess, spawnDetached, untilGone } from './os-process.ts'
import { freePort } from './ports.ts'
import { type RedisServer, startRedis } from './redis.ts'

let dir: string
let server: RedisServer | undefined
beforeEach(async () => {
  dir = await openFolder()
})
afterEach(async () => {
  await server?.stop()
  await removeFolder(dir)
})

async function withCommands<T>(use: (commands: Awaited<ReturnType<typeof connectRedis>>['commands']) => T) {
  const connection = await connectRedis({ url: server?.url ?? '' })
  const result = await use(connection.commands)
  await connection.close()
  return result
}

test('it has the settings that selling needs, on loopback only, and a second start finds its data', async () => {
  server = await startRedis({ dir })
  expect(await withCommands(unsafeSettings)).toEqual([])
  expect(await withCommands((redis) => redis.config('GET', 'bind'))).toEqual(['bind', '127.0.0.1'])
  await withCommands((redis) => redis.set('kept', 'yes'))
  await server.stop()
  expect(isRunning(server.pid)).toBe(false)
  const port = await freePort()
  server = await startRedis({ dir, port })
  expect(server.url).toBe(`redis://127.0.0.1:${port}`)
  expect(await withCommands((redis) => redis.get('kept'))).toBe('yes')
})

test('a server left over from a crash in the same folder is stopped first, and said so', async () => {
  const leftover = await startRedis({ dir })
  const lines: string[] = []
  server = await startRedis({ dir, log: (line) => lines.push(line) })
  expect(isRunning(leftover.pid)).toBe(false)
  expect(lines).toEqual([`Stopping Redis (pid ${leftover.pid}), left over from an earlier run`])
})

test('a pid file that names somebody else by now ends nobody', async () => {
  const stranger = await spawnDetached('sleep', ['60'], { logFile: `${dir}/sleep.log` })
  await Bun.write(`${dir}/redis.pid`, `${stranger.pid}\n`)
  server = await startRedis({ dir })
  expect(isRunning(stranger.pid)).toBe(true)
  signalProcess(stranger.pid, 'SIGKILL')
  expect(await untilGone(stranger.pid, 2000)).toBe(true)
})

test('a port that is taken is told with the reason from its log', async () => {
  server = await startRedis({ dir })
  const other = await openFolder()
  // The first server answers PING on that port, but it is not the one just started.
  expect(startRedis({ dir: other, port: server.port })).rejects.toThrow(/Redis ended at start: .*in use/i)
  await removeFolder(other)
})
