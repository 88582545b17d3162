import { expect, test } from 'bun:test'
import type { Socket } from 'bun'
import { startTestRedis } from '../../test/support/redis.ts'
import { eventually } from '../../test/support/stripe.ts'
import { connectRedis } from './redis.ts'

/** Speaks the protocol of Redis; what it answers to a command, and when, is up to the test. */
const startScripted = (answer: (command: string, socket: Socket) => Promise<string>) =>
  Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data: async (socket, data) => {
        for (const [, command = ''] of data.toString().matchAll(/^\*\d+\r\n\$\d+\r\n(\w+)\r\n/gm))
          socket.write(await answer(command.toLowerCase(), socket))
      },
    },
  })
const text = (value: string) => `$${value.length}\r\n${value}\r\n`

function startSentinel(master: { readonly port: number }) {
  const listeners: Socket[] = []
  let known = master.port
  let silence: PromiseWithResolvers<void> | undefined
  let asked = 0
  const server = startScripted(async (command, socket) => {
    if (command === 'subscribe') {
      listeners.push(socket)
      return `*3\r\n${text('subscribe')}${text('+switch-master')}:1\r\n`
    }
    if (command !== 'sentinel') return '+OK\r\n'
    asked += 1
    await silence?.promise
    return `*2\r\n${text('127.0.0.1')}${text(String(known))}`
  })
  return {
    port: server.port,
    listeners: () => listeners.filter(({ readyState }) => readyState > 0).length,
    asked: () => asked,
    /** Whoever asks from now on has to wait for the answer. */
    hold: () => void (silence = Promise.withResolvers()),
    release: () => silence?.resolve(),
    switchTo: (port: number) => {
      known = port
      for (const socket of listeners)
        socket.write(`*3\r\n${text('message')}${text('+switch-master')}${text('shop')}`)
    },
    stop: () => server.stop(true),
  }
}

test('told of a new master while it looks for one, it goes to the new one', async () => {
  const [first, second] = [await startTestRedis(), await startTestRedis()]
  const sentinel = startSentinel(first)
  const redis = await connectRedis({ url: `redis+sentinel://127.0.0.1:${sentinel.port}/shop` })
  await eventually(() => sentinel.listeners() === 1, 5000)
  const before = redis.runId()
  expect(before).toBeString()
  sentinel.hold()
  const asked = sentinel.asked()
  await first.kill9()
  await eventually(() => sentinel.asked() > asked, 5000)
  sentinel.switchTo(second.port)
  await Bun.sleep(100)
  sentinel.release()
  await eventually(() => ![undefined, before].includes(redis.runId()), 10_000)
  expect(await redis.commands.ping()).toBe('PONG')
  // One listens for the next failover, none for the last.
  await eventually(() => sentinel.listeners() === 1, 5000)
  await redis.close()
  await eventually(() => sentinel.listeners() === 0, 5000)
  await Promise.all([first.stop(), second.stop()])
  sentinel.stop()
}, 40_000)

test('a server that is too late with its run_id once is asked again', async () => {
  let infos = 0
  let current: Socket | undefined
  const server = startScripted(async (command, socket) => {
    if (command !== 'info') return '+OK\r\n'
    current = socket
    infos += 1
    // The fourth is the client's own, which asks whether the data is loaded.
    if (infos === 5) await Bun.sleep(400)
    return text('# Server\r\nrun_id:abc\r\nloading:0\r\n')
  })
  const errors: Error[] = []
  const redis = await connectRedis({
    url: `redis://127.0.0.1:${server.port}`,
    commandTimeoutMs: 200,
    onError: (error) => void errors.push(error),
  })
  expect([redis.runId(), infos]).toEqual(['abc', 3])
  current?.end()
  await eventually(() => redis.runId() === undefined, 5000)
  await eventually(() => redis.runId() === 'abc', 5000)
  expect(errors.map(String)).toEqual(['Error: Command timed out'])
  await redis.close()
  server.stop(true)
})
