/** A listening HTTP server. The only place where the project listens. */
export interface HttpServer {
  readonly port: number
  /** Stops accepting, lets requests under way finish (at most `graceMs`), then closes what is left. */
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

/** Throws an Error with code EADDRINUSE where the port is taken. */
export function listen(options: Listen): HttpServer {
  const server = Bun.serve({
    hostname: options.host,
    port: options.port,
    reusePort: options.reusePort ?? false,
    // Server-sent events stay open; requests are bounded by the body limit and by their own deadlines.
    idleTimeout: 120,
    // Bun's own refusal is no problem+json: ours answers first, from the length alone or after the first 16 KB.
    maxRequestBodySize: 1024 ** 3,
    fetch: (request, bun) => options.fetch(request, new Client(request, bun)),
  })
  return {
    port: server.port ?? options.port,
    stop: async (graceMs = 2000) => {
      const drained = server.stop(false)
      await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, graceMs).unref())])
      await server.stop(true)
    },
  }
}
