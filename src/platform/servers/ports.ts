import { createServer } from 'node:net'

/** A TCP port on 127.0.0.1 that was free a moment ago, from the operating system. */
export async function freePort(): Promise<number> {
  const port = await bindOnce(0)
  if (port === undefined) throw new Error('The operating system has no free port on 127.0.0.1')
  return port
}

/** Whether a server could listen on this port of 127.0.0.1 now. */
export async function portIsFree(port: number): Promise<boolean> {
  return (await bindOnce(port)) !== undefined
}

/** The first of `count` free ports in a row. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const port = await freePort()
    const next = Array.from({ length: count - 1 }, (_, up) => port + 1 + up)
    if (next.every((one) => one < 65_536) && (await Promise.all(next.map(portIsFree))).every(Boolean))
      return port
  }
}

const TAKEN = /EADDRINUSE|address already in use|port \d+ is taken/i
const ATTEMPTS = 3

/**
 * Starts what looks for free ports itself. Between the look and the bind another may take one: then it is started anew, with
 * others, three times at most.
 */
export async function startOnFreePorts<Started>(start: () => Promise<Started>): Promise<Started> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await start()
    } catch (error) {
      if (attempt === ATTEMPTS || !TAKEN.test(String(error))) throw error
    }
}

function bindOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(undefined)
      else reject(error)
    })
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = probe.address()
      const bound = typeof address === 'object' && address !== null ? address.port : undefined
      probe.close(() => resolve(bound))
    })
  })
}
