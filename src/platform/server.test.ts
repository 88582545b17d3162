import { expect, test } from 'bun:test'
import { connect } from 'node:net'
import { listen } from './server.ts'

/** A connection that is kept open; answers what came back to a request, or what was left of it when it was closed. */
function keptConnection(port: number) {
  const socket = connect({ host: '127.0.0.1', port })
  let text = ''
  let told = () => undefined as void
  socket.on('data', (part: Buffer) => {
    text += part.toString()
    if (text.endsWith('fine')) told()
  })
  socket.on('error', () => told())
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  void closed.then(() => told())
  return {
    closed,
    ask: async (path: string): Promise<string> => {
      text = ''
      const answered = new Promise<void>((resolve) => (told = resolve))
      socket.write(`GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`)
      await answered
      return text
    },
  }
}

test('whoever kept a connection open is answered while the server says goodbye, and told that it was the last time', async () => {
  const server = listen({ host: '127.0.0.1', port: 0, fetch: () => new Response('fine') })
  const [used, idle] = [keptConnection(server.port), keptConnection(server.port)]
  for (const kept of [used, idle]) expect(await kept.ask('/')).not.toMatch(/connection: close/i)
  const stopped = server.stop()
  await Bun.sleep(50)
  expect(await used.ask('/again')).toMatch(/^HTTP\/1\.1 200[^]*connection: close[^]*fine$/i)
  await used.closed
  await stopped
  await idle.closed
  expect(await fetch(`http://127.0.0.1:${server.port}/`).then(String, () => 'refused')).toBe('refused')
})

test('what is under way when it stops is answered, as long as the grace lasts', async () => {
  const slow = Promise.withResolvers<Response>()
  const never = Promise.withResolvers<Response>()
  const server = listen({
    ...{ host: '127.0.0.1', port: 0 },
    fetch: (request) => (request.url.endsWith('/slow') ? slow.promise : never.promise),
  })
  const [first, second] = [keptConnection(server.port), keptConnection(server.port)]
  const [answered, cut] = [first.ask('/slow'), second.ask('/never')]
  await Bun.sleep(50)
  const stopped = server.stop(700)
  await Bun.sleep(400)
  slow.resolve(new Response('fine'))
  expect(await answered).toContain('200')
  await stopped
  expect(await cut).toBe('')
})
