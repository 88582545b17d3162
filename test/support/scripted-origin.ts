/** An origin that answers as a test says, and remembers who asked for what. */
import { NEWS } from '../../src/platform/cache-control.ts'

export interface Asked {
  /** ms since the epoch. */
  readonly at: number
  readonly method: string
  /** As it came, with its query. */
  readonly target: string
  readonly headers: Headers
  readonly body: Uint8Array
}

export interface ScriptedOrigin {
  readonly port: number
  readonly asked: Asked[]
  /** Of one path. */
  times(path: string): number[]
  /** What is answered from now on. */
  answer: (asked: Asked) => Response | Promise<Response>
  /** Nobody listens any more. */
  goAway(): Promise<void>
  comeBack(): void
  stop(): Promise<void>
}

/** The same for everybody, kept as our own public answers are. */
export const publicAnswer = (body: string, headers: Record<string, string> = {}) =>
  new Response(body, {
    headers: { 'Content-Type': 'application/json', 'Cache-Control': NEWS, ...headers },
  })

export function startScriptedOrigin(): ScriptedOrigin {
  const asked: Asked[] = []
  const serve = (port: number) =>
    Bun.serve({
      port,
      hostname: '127.0.0.1',
      idleTimeout: 0,
      fetch: async (request) => {
        const { pathname, search } = new URL(request.url)
        const one: Asked = {
          at: Date.now(),
          method: request.method,
          target: pathname + search,
          headers: request.headers,
          body: new Uint8Array(await request.arrayBuffer()),
        }
        asked.push(one)
        return origin.answer(one)
      },
    })
  let server = serve(0)
  const port = server.port ?? 0
  const origin: ScriptedOrigin = {
    port,
    asked,
    times: (path) => asked.filter(({ target }) => target === path).map(({ at }) => at),
    answer: () => publicAnswer('{}'),
    goAway: () => server.stop(true),
    comeBack: () => void (server = serve(port)),
    stop: () => server.stop(true),
  }
  return origin
}
