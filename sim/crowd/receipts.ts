import type { Random } from '../random.ts'
import { timesOf } from './joining.ts'
import { codeOf, isTransient, JSON_BODY, persist, type Shopping } from './scene.ts'

/**
 * The shop no longer knows an order it has said yes to: its own receipt brings it back, as the checkout page does.
 * `gone`: it was refused; `undefined`: no answer in time.
 */
export async function presentReceipt(
  scene: Shopping,
  random: Random,
  order_id: string,
): Promise<'restored' | 'gone' | undefined> {
  const wallet = scene.wallets.get(order_id)
  if (wallet === undefined) return 'gone'
  const answer = await persist(scene, random, async () => {
    const sent = await scene.web.send({
      method: 'POST',
      host: scene.hosts.shop,
      path: '/api/receipts',
      headers: { ...JSON_BODY, ...(wallet.cookie === undefined ? {} : { Cookie: wallet.cookie }) },
      body: JSON.stringify({ receipt: wallet.receipt }),
    })
    const restored = sent.kind === 'answer' && sent.status === 201
    const outcome = restored ? 'restored' : sent.kind === 'lost' ? 'lost' : codeOf(sent)
    scene.history.receipts.push({ buyer: wallet.buyer, ...timesOf(sent), outcome, order_id })
    return sent
  })
  if (answer === undefined || isTransient(answer)) return undefined
  return answer.status === 201 ? 'restored' : 'gone'
}
