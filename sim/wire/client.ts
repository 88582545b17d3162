import { connect, type Socket } from 'node:net'
import { now } from '../clock.ts'
import { type RawResponse, readResponse } from './response.ts'

/*
 * An HTTP/1.1 client on bare sockets. It shares two cores with the servers it loads, so its own cost counts: on such
 * a machine, with 256 connections beside a Bun server, a request cost the client 13 us of CPU here, 24 us with
 * `fetch` and 65 us with node:http; and `fetch` can not drop an answer on purpose, or tell when a request was sent.
 */
export interface WireRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Host header; its origin need not resolve. */
  readonly host: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Hang up as soon as the request is written: the answer is lost, as on a phone in a tunnel. */
  readonly hangUp?: boolean
}

/** Times in ms since the epoch. `wanted`: before waiting for a connection; `sent`: when it went out. */
interface Times {
  readonly wanted: number
  readonly sent: number
  readonly answered: number
}
export type WireAnswer =
  | (Times & { readonly kind: 'answer' } & Pick<RawResponse, 'status' | 'headers' | 'text'>)
  /** What became of the request is unknown: refused, cut off, timed out or hung up on. */
  | (Times & { readonly kind: 'lost'; readonly reason: string })

export interface WireClient {
  /** Never rejects. */
  send(request: WireRequest): Promise<WireAnswer>
  /** Requests waiting for a connection right now. */
  readonly queued: number
  close(): void
}

export interface WireOptions {
  readonly address: string
  readonly port: number
  /** Most connections open at once; more requests wait in order. */
  readonly connections: number
  readonly timeoutMs: number
  /** Address of ours that it speaks from; by default the system chooses. */
  readonly from?: string
}

interface Job {
  readonly request: WireRequest
  readonly wanted: number
  readonly done: (answer: WireAnswer) => void
  sent: number
}
interface Connection {
  readonly socket: Socket
  data: string
  job: Job | undefined
}

export function createWireClient(options: WireOptions): WireClient {
  const { address, port, connections, timeoutMs, from } = options
  const idle: Connection[] = []
  const open = new Set<Connection>()
  const queue: Job[] = []
  let head = 0

  const next = () => {
    const job = queue[head]
    if (job === undefined) return undefined
    head++
    if (head > 1024 && head * 2 > queue.length) {
      queue.splice(0, head)
      head = 0
    }
    return job
  }

  const finish = (connection: Connection, answer: (times: Times) => WireAnswer) => {
    const job = connection.job
    connection.job = undefined
    if (job !== undefined) job.done(answer({ wanted: job.wanted, sent: job.sent, answered: now() }))
  }

  const drop = (connection: Connection, reason: string) => {
    if (!open.delete(connection)) return
    const at = idle.indexOf(connection)
    if (at >= 0) idle.splice(at, 1)
    connection.socket.destroy()
    finish(connection, (times) => ({ kind: 'lost', reason, ...times }))
    const job = next()
    if (job !== undefined) start(dial(), job)
  }

  const receive = (connection: Connection, chunk: string) => {
    connection.data += chunk
    let response: RawResponse | undefined
    try {
      response = readResponse(connection.data)
    } catch (error) {
      return drop(connection, error instanceof Error ? error.message : 'unreadable')
    }
    if (response === undefined) return
    const { status, text, keepAlive } = response
    connection.data = connection.data.slice(response.length)
    finish(connection, (times) => ({
      kind: 'answer',
      status,
      text,
      ...times,
      get headers() {
        return response.headers
      },
    }))
    if (!keepAlive) return drop(connection, 'closed')
    const job = next()
    if (job === undefined) idle.push(connection)
    else start(connection, job)
  }

  const dial = (): Connection => {
    const socket = connect({
      ...{ host: address, port, noDelay: true },
      ...(from === undefined ? {} : { localAddress: from }),
    })
    const connection: Connection = { socket, data: '', job: undefined }
    open.add(connection)
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => receive(connection, chunk))
    socket.on('error', (error: NodeJS.ErrnoException) => drop(connection, error.code ?? error.message))
    socket.on('close', () => drop(connection, 'closed'))
    return connection
  }

  const start = (connection: Connection, job: Job) => {
    connection.job = job
    job.sent = now()
    const { socket } = connection
    const write = () => {
      job.sent = now()
      socket.write(serialise(job.request), 'utf8', () => {
        if (job.request.hangUp) drop(connection, 'hung_up')
      })
    }
    // The later `sent` is, the sharper the auditor's order checks; dialling is not yet sending.
    if (socket.connecting) socket.once('connect', write)
    else write()
  }

  const watch = setInterval(() => {
    const limit = now() - timeoutMs
    for (const connection of open)
      if (connection.job !== undefined && connection.job.sent < limit) drop(connection, 'timeout')
  }, 250)
  watch.unref()

  return {
    send: (request) =>
      new Promise((done) => {
        const at = now()
        const job: Job = { request, wanted: at, sent: at, done }
        const connection = idle.pop()
        if (connection !== undefined) start(connection, job)
        else if (open.size < connections) start(dial(), job)
        else queue.push(job)
      }),
    get queued() {
      return queue.length - head
    },
    close: () => {
      clearInterval(watch)
      head = queue.length
      for (const connection of open) drop(connection, 'closed')
    },
  }
}

function serialise({ method, host, path, headers, body }: WireRequest): string {
  let head = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n`
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`
  if (body === undefined) return `${head}\r\n`
  return `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
