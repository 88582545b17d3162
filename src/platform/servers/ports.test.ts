import { expect, test } from 'bun:test'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { freePort, startOnFreePorts } from './ports.ts'

async function listen(port: number) {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

test('a port that was taken meanwhile is no reason to give up; anything else is, and so is the third one', async () => {
  const first = await listen(await freePort())
  const { port: taken } = first.address() as { port: number }
  const ports = [taken, await freePort()]
  const second = await startOnFreePorts(() => listen(ports.shift() ?? 0))
  expect(ports).toEqual([])
  second.close()

  let attempts = 0
  const onTaken = () => {
    attempts += 1
    return listen(taken)
  }
  expect(await startOnFreePorts(onTaken).catch(String)).toContain('EADDRINUSE')
  expect(attempts).toBe(3)
  first.close()

  const broken = () => {
    attempts += 1
    return Promise.reject(new Error('no such folder'))
  }
  expect(await startOnFreePorts(broken).catch(String)).toContain('no such folder')
  expect(attempts).toBe(4)
})
