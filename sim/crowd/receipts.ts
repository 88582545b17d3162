import type { Random } from '../random.ts'
import { timesOf } from './joining.ts'
import { backOff, codeOf, fromItsPage, JSON_BODY, type Shopping } from './scene.ts'

/** Refusals that no asking again will change. */
const FINAL = new Set(['receipt_invalid', 'unknown_item', 'session_invalid', 'session_missing'])

/**
 * The shop no longer knows an order it has said yes to: its own receipt brings it back, as the checkout page does, or has
 * it FAILED as oversold. Asked again while units are held that may return. `gone`: it was refused; `undefined`: no
 * answer in time.
 */
export async function presentReceipt(
  scene: Shopping,
  random: Random,
  order_id: string,
): Promise<'restored' | 'gone' | undefined> {
  const wallet = scene.wallets.get(order_id)
  if (wallet === undefined) return 'gone'
  for (let attempt = 0; !scene.over(); attempt++) {
    const sent = await scene.web.send({
      method: 'POST',
      host: scene.hosts.shop,
      path: '/api/receipts',
      headers: { ...JSON_BODY, ...fromItsPage(wallet.cookie) },
      body: JSON.stringify({ receipt: wallet.receipt }),
    })
    const restored = sent.kind === 'answer' && sent.status === 201
    const outcome = restored ? 'restored' : sent.kind === 'lost' ? 'lost' : codeOf(sent)
    scene.history.receipts.push({ buyer: wallet.buyer, ...timesOf(sent), outcome, order_id })
    if (restored) return 'restored'
    if (FINAL.has(outcome)) return 'gone'
    await backOff(attempt, random)
  }
  return undefined
}
