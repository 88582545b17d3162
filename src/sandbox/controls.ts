/** Test controls under `/_sandbox/`: not part of the provider's API, and not meant to leave the machine. */
import { Hono } from 'hono'
import type { FaultBox } from './faults.ts'
import type { LedgerEntry } from './ledger.ts'

export interface ControlParts<Operation extends string> {
  ledger: () => readonly LedgerEntry[]
  faults: FaultBox<Operation>
  /** Webhooks that nobody has acknowledged yet. */
  undelivered: () => number
}

export function controlRoutes<Operation extends string>(parts: ControlParts<Operation>): Hono {
  const { ledger, faults, undelivered } = parts
  const app = new Hono()
  app.get('/_sandbox/ledger', (c) => {
    const orderId = c.req.query('order_id')
    const entries = ledger().filter((entry) => orderId === undefined || entry.order_id === orderId)
    return c.json({ entries, undelivered_webhooks: undelivered() })
  })
  app.get('/_sandbox/faults', (c) => c.json(faults.current))
  // JSON only: a foreign page cannot send that without a preflight, which is not answered here.
  app.post('/_sandbox/faults', async (c) => {
    if (!c.req.header('content-type')?.startsWith('application/json')) {
      return c.json({ error: 'send application/json' }, 415)
    }
    const body: unknown = await c.req.json().catch(() => undefined)
    const parsed = faults.schema.partial().safeParse(body)
    if (!parsed.success) return c.json({ error: parsed.error.issues }, 400)
    faults.current = faults.schema.parse({ ...faults.current, ...parsed.data })
    return c.json(faults.current)
  })
  return app
}
