import { CSP_REPORTS_PATH } from './security-headers.ts'
import type { Kind } from './shedding.ts'

export type HostName = 'shop' | 'queue' | 'ops'

/** Health has no kind: it is asked by whoever decides whether we live. */
const HEALTH = /^\/(healthz|readyz|metrics)$/

const SHOP: readonly (readonly [RegExp, Kind])[] = [
  [/^\/webhooks\//, 'vital'],
  // Paying, cancelling, and asking how the payment went.
  [/^\/api\/(orders|receipts|gift-cards)(\/|$)/, 'vital'],
  [/^\/api\/(claims|session)(\/|$)/, 'claims'],
  // The pages of those who were let in, and what pages are made of.
  [/^\/(checkout|assets)\//, 'claims'],
  [/^\/openapi\.json$/, 'analytics'],
]
const QUEUE: readonly (readonly [RegExp, Kind])[] = [
  [/^\/api\/queue\/[^/]+\/enter$/, 'admissions'],
  [/^\/api\/queue\/[^/]+\/(join|challenge)$/, 'joins'],
  [/^\/api\/queue\/[^/]+$/, 'poll'],
  [/^\/assets\//, 'claims'],
  [/^\/openapi\.json$/, 'analytics'],
]

/** What operators look at. The console's pages, and who is signed in, are what a command begins with. */
const OPERATOR_VIEWS = /^\/(api\/operator\/(?!session$)|openapi\.json$)/

/** What a request is for, from its address alone; undefined for one that is always answered. */
export function kindOf(host: HostName, method: string, path: string): Kind | undefined {
  if (HEALTH.test(path)) return undefined
  if (path === CSP_REPORTS_PATH) return 'analytics'
  if (host === 'ops') {
    const isRead = method === 'GET' || method === 'HEAD'
    return isRead && OPERATOR_VIEWS.test(path) ? 'analytics' : 'operator'
  }
  return (host === 'shop' ? SHOP : QUEUE).find(([pattern]) => pattern.test(path))?.[1] ?? 'browsing'
}

/** Of people who want to buy, or of their browsers; not of operators, and not of who looks after us. */
export const isOfBuyers = (host: HostName, path: string): boolean => host !== 'ops' && !HEALTH.test(path)
