import { now, sleep } from '../clock.ts'
import { randomOf } from '../random.ts'
import type { SaleInfo, Target } from '../target.ts'
import { createWireClient } from '../wire/client.ts'
import type { CrowdResult } from './crowd.ts'
import { presentReceipt } from './receipts.ts'

/** Between the crowd's leaving and the return of those whose order the shop does not know. */
const RETURN_MS = 3000
const PATIENCE_MS = 90_000

/** Whoever was told yes and finds no order shows the receipt, as their browsers would when they look again. */
export async function comeBack(
  target: Target,
  sale: SaleInfo,
  { history, wallets }: CrowdResult,
  rows: () => Promise<readonly { readonly order_id: string }[]>,
): Promise<void> {
  const missing = async () => {
    const known = new Set((await rows()).map(({ order_id }) => order_id))
    return [...wallets.keys()].filter((id) => !known.has(id))
  }
  if ((await missing()).length === 0) return
  await sleep(RETURN_MS)
  const web = createWireClient({
    address: target.address,
    port: target.port,
    connections: 8,
    timeoutMs: 10_000,
  })
  const until = now() + PATIENCE_MS
  const scene = {
    ...{ hosts: target.hosts, web, history, wallets, over: () => now() > until },
    provider: () => web,
  }
  await Promise.all(
    (await missing()).map((id) => presentReceipt(scene, randomOf(0, 'receipt', sale.id, id), id)),
  )
  web.close()
}
