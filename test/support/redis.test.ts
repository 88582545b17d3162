import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connectRedis, unsafeSettings } from '../../src/platform/redis.ts'
import { startTestRedis, type TestRedis } from './redis.ts'

let server: TestRedis
beforeAll(async () => {
  server = await startTestRedis({ appendfsync: 'always' })
})
afterAll(() => server.stop())

test('the test server is set as selling wants it', async () => {
  const connection = await connectRedis({ url: server.url })
  expect(await unsafeSettings(connection.commands)).toEqual([])
  await connection.close()
})

test('a crash and a restart keep the data and change process and run_id', async () => {
  const before = await connectRedis({ url: server.url })
  await before.commands.set('kept', 'yes')
  const { pid } = server
  const runId = before.runId()
  before.commands.disconnect()
  await server.kill9()
  await server.restart()
  const after = await connectRedis({ url: server.url })
  expect(await after.commands.get('kept')).toBe('yes')
  expect(server.pid).not.toBe(pid)
  expect(after.runId()).toBeString()
  expect(after.runId()).not.toBe(runId)
  await after.close()
})
