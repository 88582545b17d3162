import { connect, createServer, type Socket } from 'node:net'
import { sleep } from '../clock.ts'
import type { Random } from '../random.ts'

/** What a network does to the connections through it. Shares are probabilities from 0 to 1, for each piece of data. */
export type Trouble =
  | { readonly kind: 'none' }
  /** Each piece comes later, in each direction, by `ms` and up to `jitterMs` more. */
  | { readonly kind: 'slow'; readonly ms: number; readonly jitterMs: number }
  /** Each direction of a connection carries so much. */
  | { readonly kind: 'throttled'; readonly bytesPerSecond: number }
  /** The connection is reset instead of carrying a piece. */
  | { readonly kind: 'cut'; readonly share: number }
  /** What is asked arrives, and is done; instead of the answer comes a reset. */
  | { readonly kind: 'answers_lost'; readonly share: number }
  /** Connections are made and nothing comes through them, in no direction, until it heals: then all of it. */
  | { readonly kind: 'black_hole' }

/** What really happened since the proxy was made, in pieces of data; `cut` and `answersLost` in connections. */
export interface ProxyCounts {
  connections: number
  pieces: number
  slowed: number
  held: number
  cut: number
  answersLost: number
}

/** A TCP proxy on the loopback interface, in which a network can be in trouble. */
export interface Proxy {
  readonly port: number
  readonly counts: Readonly<ProxyCounts>
  /** From now on, on connections that are open as well. `none` heals. */
  suffer(trouble: Trouble): void
  /** Ports of the servers behind it, taken in turn; one that refuses is passed over. */
  serve(upstreams: readonly number[]): void
  close(): Promise<void>
}

export interface ProxyOptions {
  readonly upstreams: readonly number[]
  readonly random: Random
  /** Default: one from the operating system. */
  readonly port?: number
}

export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const { random } = options
  const counts: ProxyCounts = { connections: 0, pieces: 0, slowed: 0, held: 0, cut: 0, answersLost: 0 }
  const open = new Set<Socket>()
  let upstreams = options.upstreams
  let trouble: Trouble = { kind: 'none' }
  let healed = Promise.withResolvers<void>()
  let turn = 0

  const reset = (pair: Pair) => {
    for (const socket of pair) {
      open.delete(socket)
      if (!socket.destroyed) socket.resetAndDestroy()
    }
  }

  /** Resolves with whether the piece may go on. */
  const endure = async (pair: Pair, from: Socket, bytes: number): Promise<boolean> => {
    const now = trouble
    switch (now.kind) {
      case 'none':
        return true
      case 'slow':
        counts.slowed++
        await sleep(now.ms + random() * now.jitterMs)
        return true
      case 'throttled':
        counts.slowed++
        await sleep((1000 * bytes) / now.bytesPerSecond)
        return true
      case 'cut':
        if (random() >= now.share) return true
        counts.cut++
        reset(pair)
        return false
      case 'answers_lost':
        if (from === pair[0] || random() >= now.share) return true
        counts.answersLost++
        reset(pair)
        return false
      case 'black_hole':
        counts.held++
        await healed.promise
        return true
    }
  }

  const carry = (pair: Pair, from: Socket, to: Socket) => {
    let last = Promise.resolve()
    let under = 0
    const pass = (piece: Buffer) => {
      if (to.destroyed || to.write(piece)) return
      from.pause()
      to.once('drain', () => from.resume())
    }
    from.on('data', (piece: Buffer) => {
      counts.pieces++
      if (trouble.kind === 'none' && under === 0) return pass(piece)
      // In order, whatever each piece has to endure, and no more of them than a network would buffer.
      under++
      from.pause()
      last = last.then(async () => {
        if (await endure(pair, from, piece.length)) pass(piece)
        if (--under === 0) from.resume()
      })
    })
    from.on('end', () => void last.then(() => to.end()))
    from.on('error', () => reset(pair))
    from.on('close', () => void last.then(() => closeAfter(pair, to)))
  }
  const closeAfter = (pair: Pair, other: Socket) => {
    for (const socket of pair) if (socket.destroyed) open.delete(socket)
    if (!other.destroyed && !other.writableEnded) other.end()
  }

  /** Connects to one of those behind it; a refusal passes to the next. */
  const dial = (client: Socket, tries: number) => {
    const server = connect({
      host: '127.0.0.1',
      port: upstreams[turn++ % upstreams.length] ?? 0,
      noDelay: true,
      allowHalfOpen: true,
    })
    const refused = () => {
      if (tries > 1 && !client.destroyed) dial(client, tries - 1)
      else client.resetAndDestroy()
    }
    server.once('error', refused)
    server.once('connect', () => {
      server.removeListener('error', refused)
      if (client.destroyed) return void server.destroy()
      const pair: Pair = [client, server]
      open.add(server)
      carry(pair, client, server)
      carry(pair, server, client)
      client.resume()
    })
  }

  const listener = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) => {
    counts.connections++
    open.add(client)
    client.on('error', () => open.delete(client))
    dial(client, Math.max(1, upstreams.length))
  })
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const address = listener.address()
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    counts,
    suffer: (next) => {
      const before = healed
      healed = Promise.withResolvers<void>()
      trouble = next
      before.resolve()
    },
    serve: (next) => (upstreams = next),
    close: async () => {
      healed.resolve()
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()))
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}

type Pair = readonly [client: Socket, server: Socket]
