import { NO_GUARD } from '../../sim/own-sale.ts'
import { createWireClient } from '../../sim/wire/client.ts'
import { findTarget } from '../../sim/target.ts'

export interface BenchLine {
  readonly sale: string
  /** Requests for the public status that the origin has answered so far. */
  statusRequests(): Promise<number>
}

/** A sale with so many people in line, let in slowly, in the system that runs in a data folder. They join past the edge. */
export async function createLine(dataDir: string, people: number, ratePerSecond: number): Promise<BenchLine> {
  const target = await findTarget(dataDir)
  const id = `edge-${people}-${Date.now().toString(36)}`
  await target.createSale({
    ...{ id, name: 'Edge', rate_per_second: ratePerSecond, turn_s: 3600, guard: NO_GUARD, reason: 'bench' },
    products: [{ id, name: 'Lamp', amount: 1000, currency: 'EUR', units: people }],
  })
  const origin = createWireClient({
    address: target.address,
    port: target.port,
    connections: 64,
    timeoutMs: 30_000,
  })
  const joins = await Promise.all(
    Array.from({ length: people }, (_, n) =>
      origin.send({
        ...{ method: 'POST', host: target.hosts.queue, path: `/api/queue/${id}/join` },
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ device: `device-${n}` }),
      }),
    ),
  )
  origin.close()
  const refused = joins.find((answer) => answer.kind === 'lost' || answer.status !== 201)
  if (refused !== undefined) throw new Error(`somebody did not get a place: ${JSON.stringify(refused)}`)
  return {
    sale: id,
    statusRequests: async () => {
      const text = await (await target.fetch('queue', '/metrics')).text()
      const lines = text.matchAll(
        /^doorbuster_http_requests_total\{host="queue",route="\/api\/queue\/:sale"[^}]*\} (\d+)$/gm,
      )
      return [...lines].reduce((sum, [, count]) => sum + Number(count), 0)
    },
  }
}
