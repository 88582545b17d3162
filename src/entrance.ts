import type { Config } from './platform/config.ts'
import { atTheDoor } from './platform/front-door.ts'
import { createHotHost, type HotRoute } from './platform/hot-routes.ts'
import type { App } from './platform/http.ts'
import { type HostName, isOfBuyers } from './platform/request-kind.ts'
import { secure } from './platform/security-headers.ts'
import type { Shedding } from './platform/shedding.ts'
import type { Log, Metrics } from './platform/telemetry.ts'

interface Client {
  readonly address: string
}

export interface Entrance {
  /** Answers a request by its Host header. */
  fetch(request: Request, client?: Client): Response | Promise<Response>
}

export interface EntranceParts {
  readonly apps: Readonly<Record<HostName, App>>
  /** Routes that everybody takes, and that do without the framework. */
  readonly hot: Partial<Record<HostName, readonly HotRoute<unknown>[]>>
  readonly urls: Config['urls']
  readonly shedding: Shedding
  readonly live: { readonly counter: { answered(path: string, status: number): void } }
  readonly log: Log
  readonly metrics: Metrics
}

/** Where every request comes in: past the front door, by the short way or through the framework, to the app of its host. */
export function createEntrance({ apps, hot, urls, shedding, live, log, metrics }: EntranceParts): Entrance {
  const entranceOf = (host: HostName) => {
    const origin = urls[host]
    const shortWay = createHotHost({ host, origin, routes: hot[host] ?? [], log, metrics })
    const https = origin.startsWith('https:')
    const longWay = async (request: Request, client: Client) => apps[host].fetch(request, client)
    return (path: string, request: Request, client: Client): Response | Promise<Response> => {
      const end = (response: Response) => {
        if (isOfBuyers(host, path)) live.counter.answered(path, response.status)
        return response
      }
      const answer = shortWay(request, path, client) ?? (() => longWay(request, client))
      // What is at hand already is cheaper than turning somebody away; it is complete.
      if (answer instanceof Response) return end(answer)
      return atTheDoor(shedding, { host, path, request }, answer).then((response) =>
        end(secure(response, https)),
      )
    }
  }
  const entrances = { queue: entranceOf('queue'), shop: entranceOf('shop'), ops: entranceOf('ops') }
  const byName = new Map(
    Object.entries(entrances).map(([host, enter]) => [new URL(urls[host as HostName]).hostname, enter]),
  )
  return {
    fetch: (request, client = { address: '' }) => {
      const { hostname, pathname } = new URL(request.url)
      const enter = byName.get(hostname)
      if (enter !== undefined) return enter(pathname, request, client)
      // By its bare address: health checks and webhooks are answered, a person is shown the way.
      if (pathname !== '/') return entrances.shop(pathname, request, client)
      const headers = { Location: `${urls.shop}/`, 'X-Request-Id': crypto.randomUUID() }
      return secure(new Response(null, { status: 302, headers }), false)
    },
  }
}
