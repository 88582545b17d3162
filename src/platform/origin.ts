import { createMiddleware } from 'hono/factory'
import { Problem } from './errors.ts'
import type { AppEnv } from './http.ts'

const READS = new Set(['GET', 'HEAD', 'OPTIONS'])
/** Signed by their senders, or only counted. */
const FROM_ANYWHERE = /^\/(webhooks\/|csp-reports$)/

/**
 * Refuses requests that change something and that a page of another origin may have had a browser send. Browsers say
 * where a request comes from, old ones by the referrer alone; who says nothing may be a program, and a program has no
 * cookies of somebody else's: one that has any must say its origin. `byToken`: what brings a bearer token is judged by
 * that alone, because no browser adds one by itself, as it does a proxy's password.
 */
export function ownOriginOnly(own: string, byToken = false) {
  return createMiddleware<AppEnv>(async (c, next) => {
    const { method, path } = c.req
    const free =
      FROM_ANYWHERE.test(path) || (byToken && /^Bearer /i.test(c.req.header('authorization') ?? ''))
    if (!READS.has(method) && !free && !isOwn((name) => c.req.header(name), own))
      throw new Problem(
        'origin_refused',
        `Requests that change something must come from ${own}: go back there and try again.`,
      )
    await next()
  })
}

/** Whether a request that changes something comes from a page of the `own` origin, or from no browser. */
export function isOwn(header: (name: string) => string | undefined, own: string): boolean {
  const origin = header('origin')
  if (origin !== undefined) return origin === own
  const site = header('sec-fetch-site')
  if (site !== undefined) return site === 'same-origin'
  const referrer = header('referer')
  if (referrer !== undefined) return URL.parse(referrer)?.origin === own
  return !/(^|;\s*)__(Host|Secure)-/.test(header('cookie') ?? '')
}
