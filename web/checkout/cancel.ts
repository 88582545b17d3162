import type { Order } from '../../src/contracts/shapes.ts'
import { ask, explain } from '../lib/api.ts'
import { byId, notice } from '../lib/dom.ts'

/** Giving an order up, once the buyer has been asked; `onCancelled` is told what it is then. */
export function wireCancel(orderId: string, onCancelled: (order: Order) => void): void {
  const dialog = byId('cancel-dialog', HTMLDialogElement)
  byId('cancel').addEventListener('click', () => dialog.showModal())
  byId('cancel-no').addEventListener('click', () => dialog.close())
  byId('cancel-yes').addEventListener('click', () => {
    dialog.close()
    void cancel()
  })

  async function cancel(): Promise<void> {
    const answer = await ask<Order>(`/api/orders/${orderId}`, { method: 'DELETE' })
    if (answer.kind === 'ok') onCancelled(answer.body)
    else notice(byId('pay-error'), explain(answer))
  }
}
