import { Hono } from 'hono'
import type { Application } from './app.ts'
import { healthRoutes } from './health.ts'
import type { Config } from './platform/config.ts'
import type { App, AppEnv } from './platform/http.ts'
import type { RedisConnection } from './platform/redis.ts'
import { listen } from './platform/server.ts'

interface Telling {
  stop(): Promise<void>
}

/** Tells on `HEALTH_PORT` how a process without a door of its own is, until it is stopped; nowhere where there is no such setting. */
export const tellHealth = (app: Application, stopping: AbortSignal): Telling =>
  onHealthPort(app.config, (host) => healthRoutes(host, app, stopping))

/** The same of the relay, which knows Redis and nothing else of the application. */
export const tellRelayHealth = (
  config: Config,
  redis: Pick<RedisConnection, 'runId'>,
  stopping: AbortSignal,
): Telling =>
  onHealthPort(config, (host) => {
    host.get('/healthz', (c) => c.text('ok'))
    host.get('/readyz', (c) => {
      const checks = { redis: redis.runId() !== undefined, stopping: stopping.aborted }
      const ready = checks.redis && !checks.stopping
      return c.json({ ready, ...checks }, ready ? 200 : 503)
    })
  })

function onHealthPort({ http: { host: hostname, healthPort } }: Config, mount: (host: App) => void): Telling {
  if (healthPort === undefined) return { stop: () => Promise.resolve() }
  const host = new Hono<AppEnv>() as App
  mount(host)
  const server = listen({ host: hostname, port: healthPort, fetch: (request) => host.fetch(request) })
  return { stop: () => server.stop(0) }
}
