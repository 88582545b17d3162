import { afterEach, describe, expect, test } from 'bun:test'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createWireClient, type WireClient, type WireOptions } from './client.ts'
import { readResponse } from './response.ts'

const running: { server: Server; client: WireClient }[] = []
afterEach(() => {
  for (const { server, client } of running.splice(0)) {
    client.close()
    server.closeAllConnections()
    server.close()
  }
})

async function serve(
  handle: (request: IncomingMessage, response: ServerResponse, body: string) => void,
  options: Partial<WireOptions> = {},
) {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => handle(request, response, body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const client = createWireClient({ address: '127.0.0.1', port, connections: 2, timeoutMs: 5000, ...options })
  running.push({ server, client })
  return { client, server, port }
}
const get = { method: 'GET', host: 'shop.localhost:1', path: '/' } as const

test('sends host, headers and body, and reads what comes back', async () => {
  const { client } = await serve((request, response, body) => {
    response.setHeader('Set-Cookie', 'a=b')
    response.statusCode = 201
    response.end(
      JSON.stringify({ body, host: request.headers.host, key: request.headers['idempotency-key'] }),
    )
  })
  const answer = await client.send({
    ...{ method: 'POST', host: 'queue.localhost:1', path: '/join', body: '{"name":"Zoë"}' },
    headers: { 'Idempotency-Key': 'k' },
  })
  if (answer.kind !== 'answer') throw new Error(answer.reason)
  expect(answer.status).toBe(201)
  expect(answer.headers.get('set-cookie')).toBe('a=b')
  expect(JSON.parse(answer.text)).toEqual({ body: '{"name":"Zoë"}', host: 'queue.localhost:1', key: 'k' })
  expect(answer.wanted).toBeLessThanOrEqual(answer.sent)
  expect(answer.sent).toBeLessThanOrEqual(answer.answered)
})

test('answers belong to their requests, on a bounded number of connections', async () => {
  const { client, server } = await serve((request, response) => {
    // In pieces of unknown length: chunked.
    response.write(request.url?.slice(0, 3))
    response.end(request.url?.slice(3))
  })
  let connections = 0
  server.on('connection', () => connections++)
  const paths = Array.from({ length: 200 }, (_, index) => `/path-${index}`)
  const answers = await Promise.all(paths.map((path) => client.send({ ...get, path })))
  expect(answers.map((answer) => (answer.kind === 'answer' ? answer.text : answer.reason))).toEqual(paths)
  expect(connections).toBe(2)
  expect(client.queued).toBe(0)
})

describe('an answer that never comes is lost, and the next request goes on', () => {
  test('the server closes without a word', async () => {
    const { client } = await serve((request, response) => {
      if (request.url === '/drop') request.socket.destroy()
      else response.end('fine')
    })
    expect(await client.send({ ...get, path: '/drop' })).toMatchObject({ kind: 'lost' })
    expect(await client.send(get)).toMatchObject({ kind: 'answer', text: 'fine' })
  })

  test('the server is silent', async () => {
    const { client } = await serve(
      (request, response) => {
        if (request.url !== '/silent') response.end('fine')
      },
      { timeoutMs: 50, connections: 1 },
    )
    const [silent, next] = await Promise.all([client.send({ ...get, path: '/silent' }), client.send(get)])
    expect(silent).toMatchObject({ kind: 'lost', reason: 'timeout' })
    expect(next).toMatchObject({ kind: 'answer', text: 'fine' })
  })

  test('nobody listens', async () => {
    const { client, server } = await serve(() => undefined)
    await new Promise((resolve) => server.close(resolve))
    expect(await client.send(get)).toMatchObject({ kind: 'lost', reason: 'ECONNREFUSED' })
  })

  test('hung up on purpose: the server still gets the request', async () => {
    let arrived: (path: string) => void = () => undefined
    const path = new Promise<string>((resolve) => (arrived = resolve))
    const { client } = await serve((request) => arrived(request.url ?? ''))
    expect(await client.send({ ...get, path: '/claim', hangUp: true })).toMatchObject({
      ...{ kind: 'lost', reason: 'hung_up' },
    })
    expect(await path).toBe('/claim')
  })

  test('the server says goodbye after an answer', async () => {
    const { client } = await serve((_request, response) => {
      response.setHeader('Connection', 'close')
      response.end('last')
    })
    for (let time = 0; time < 3; time++)
      expect(await client.send(get)).toMatchObject({ kind: 'answer', text: 'last' })
  })
})

describe('readResponse', () => {
  const sized = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
  test('waits for every byte and takes no more', () => {
    for (const whole of [sized, chunked]) {
      for (let length = 0; length < whole.length; length++)
        expect(readResponse(whole.slice(0, length))).toBeUndefined()
      expect(readResponse(`${whole}HTTP/1.1`)).toMatchObject({
        status: 200,
        text: 'hello',
        length: whole.length,
      })
    }
  })
  test('refuses what is no answer', () => {
    for (const text of ['hello\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\nbody', `${chunked.slice(0, 47)}zz\r\n`])
      expect(() => readResponse(text)).toThrow()
  })
  test('has no body where there can be none', () => {
    expect(readResponse('HTTP/1.1 204 No Content\r\n\r\n')).toMatchObject({ status: 204, text: '' })
  })
})
