import { afterEach, expect, test } from 'bun:test'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { now, sleep } from '../clock.ts'
import { randomOf } from '../random.ts'
import { type Proxy, startProxy } from './proxy.ts'

// Each trouble against a real server that answers every piece with `<name>:<piece>`.

const opened: { close: () => unknown }[] = []
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
})

async function echo(name = 'echo'): Promise<{ port: number; heard: string[] }> {
  const heard: string[] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (piece: Buffer) => {
      heard.push(piece.toString())
      socket.write(`${name}:${piece.toString()}`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  opened.push({
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  })
  return { port: (server.address() as { port: number }).port, heard }
}

async function proxy(...upstreams: number[]): Promise<Proxy> {
  const made = await startProxy({ upstreams, random: randomOf(1, 'proxy') })
  opened.push(made)
  return made
}

function client({ port }: Proxy) {
  const socket = connect({ port, host: '127.0.0.1' })
  let got = ''
  let end: string | undefined
  socket.on('data', (piece: Buffer) => (got += piece.toString()))
  socket.on('error', (error: NodeJS.ErrnoException) => (end = error.code))
  socket.on('close', () => (end ??= 'closed'))
  opened.push({ close: () => socket.destroy() })
  const until = async (test: () => boolean) => {
    for (const from = now(); !test() && now() - from < 3000;) await sleep(5)
  }
  return {
    write: (text: string) => socket.write(text),
    end: () => socket.end(),
    got: async (text: string) => {
      await until(() => got.includes(text) || end !== undefined)
      return got
    },
    ended: async () => {
      await until(() => end !== undefined)
      return end
    },
    soFar: () => got,
  }
}

test('without trouble everything goes through, large pieces in order, and an end is an end', async () => {
  const one = client(await proxy((await echo()).port))
  one.write('hello')
  expect(await one.got('hello')).toBe('echo:hello')
  const large = Array.from({ length: 200_000 }, (_, index) => String.fromCharCode(97 + (index % 26))).join('')
  one.write(`${large}!`)
  await one.got('!')
  expect(one.soFar().replaceAll('echo:', '')).toBe(`hello${large}!`)
  one.end()
  expect(await one.ended()).toBe('closed')
})

test('slow: late, but all of it and in order', async () => {
  const made = await proxy((await echo()).port)
  made.suffer({ kind: 'slow', ms: 60, jitterMs: 40 })
  const one = client(made)
  const from = now()
  one.write('a')
  await one.got('a')
  expect(now() - from).toBeGreaterThanOrEqual(115)
  for (const letter of 'bcdef') {
    one.write(letter)
    await sleep(5)
  }
  expect((await one.got('f')).replaceAll('echo:', '')).toBe('abcdef')
  expect(made.counts.slowed).toBeGreaterThan(2)
})

test('throttled: so many bytes a second', async () => {
  const made = await proxy((await echo()).port)
  made.suffer({ kind: 'throttled', bytesPerSecond: 1000 })
  const one = client(made)
  const from = now()
  one.write('x'.repeat(100))
  await one.got('x')
  expect(now() - from).toBeGreaterThanOrEqual(190)
})

test('cut: the connection is reset and nothing arrives; healed, a new one works', async () => {
  const server = await echo()
  const made = await proxy(server.port)
  made.suffer({ kind: 'cut', share: 1 })
  const one = client(made)
  one.write('lost')
  expect(await one.ended()).toBeDefined()
  expect(server.heard).toEqual([])
  expect(made.counts.cut).toBe(1)
  made.suffer({ kind: 'none' })
  const two = client(made)
  two.write('back')
  expect(await two.got('back')).toBe('echo:back')
})

test('answers lost: what was asked has happened', async () => {
  const server = await echo()
  const made = await proxy(server.port)
  made.suffer({ kind: 'answers_lost', share: 1 })
  const one = client(made)
  one.write('done')
  expect(await one.ended()).toBeDefined()
  expect([server.heard, one.soFar(), made.counts.answersLost]).toEqual([['done'], '', 1])
})

test('black hole: connected and silent; healed, what was held comes through', async () => {
  const server = await echo()
  const made = await proxy(server.port)
  const one = client(made)
  one.write('before')
  await one.got('before')
  made.suffer({ kind: 'black_hole' })
  one.write('after')
  const late = client(made)
  late.write('new')
  await sleep(100)
  expect([server.heard, late.soFar(), made.counts.held]).toEqual([['before'], '', 2])
  made.suffer({ kind: 'none' })
  expect(await one.got('after')).toBe('echo:beforeecho:after')
  expect(await late.got('new')).toBe('echo:new')
})

test('several servers are taken in turn, one that is gone is passed over', async () => {
  const [a, b] = [await echo('a'), await echo('b')]
  const made = await proxy(a.port, b.port)
  const answers = async () => {
    const one = client(made)
    one.write('?')
    return one.got('?')
  }
  expect(new Set([await answers(), await answers()])).toEqual(new Set(['a:?', 'b:?']))
  made.serve([b.port, 1])
  expect([await answers(), await answers(), await answers()]).toEqual(['b:?', 'b:?', 'b:?'])
  made.serve([1])
  expect(await client(made).ended()).toBeDefined()
})

test('the same seed cuts the same connections', async () => {
  const server = await echo()
  const run = async () => {
    const made = await proxy(server.port)
    made.suffer({ kind: 'cut', share: 0.5 })
    const fates: boolean[] = []
    for (let at = 0; at < 12; at++) {
      const one = client(made)
      one.write('x')
      fates.push((await one.got('x')) !== '')
    }
    return fates
  }
  const first = await run()
  expect(new Set(first).size).toBe(2)
  expect(await run()).toEqual(first)
})
