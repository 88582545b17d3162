/** A listening HTTP server. The only place where the project listens. */
export interface HttpServer {
  readonly port: number
  /**
   * Says goodbye for a moment (each answer ends its connection, so that whoever keeps one open asks elsewhere), stops accepting,
   * lets requests under way finish (at most `graceMs`), then closes what is left.
   */
  stop(graceMs?: number): Promise<void>
}

export interface Listen {
  readonly host: string
  readonly port: number
  readonly fetch: (request: Request, client: { address: string }) => Response | Promise<Response>
  /** Several processes may share the port; Linux spreads connections over them. Not on other systems. */
  readonly reusePort?: boolean
}

/** Asks the system, which is slow, only where somebody wants to know, and once. */
class Client {
  #address: string | undefined
  readonly #request: Request
  readonly #server: Pick<Bun.Server<undefined>, 'requestIP'>
  constructor(request: Request, server: Pick<Bun.Server<undefined>, 'requestIP'>) {
    this.#request = request
    this.#server = server
  }
  get address(): string {
    this.#address ??= this.#server.requestIP(this.#request)?.address ?? ''
    return this.#address
  }
}

/** A proxy that keeps a connection open may be sending on it just when it is closed: by then none should be left. */
const GOODBYE_MS = 300

const lastOfItsConnection = async (answer: Response | Promise<Response>): Promise<Response> => {
  const { body, status, statusText, headers } = await answer
  const closing = new Headers(headers)
  closing.set('Connection', 'close')
  return new Response(body, { status, statusText, headers: closing })
}

/** Throws an Error with code EADDRINUSE where the port is taken. */
export function listen(options: Listen): HttpServer {
  let leaving = false
  const server = Bun.serve({
    hostname: options.host,
    port: options.port,
    reusePort: options.reusePort ?? false,
    // Server-sent events stay open; requests are bounded by the body limit and by their own deadlines.
    idleTimeout: 120,
    // Bun's own refusal is no problem+json: ours answers first, from the length alone or after the first 16 KB.
    maxRequestBodySize: 1024 ** 3,
    fetch: (request, bun) => {
      const answer = options.fetch(request, new Client(request, bun))
      return leaving ? lastOfItsConnection(answer) : answer
    },
  })
  return {
    port: server.port ?? options.port,
    stop: async (graceMs = 2000) => {
      leaving = true
      if (graceMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(GOODBYE_MS, graceMs)))
      const drained = server.stop(false)
      await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, graceMs).unref())])
      await server.stop(true)
    },
  }
}
