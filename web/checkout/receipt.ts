import { ask } from '../lib/api.ts'
import { byId, drawFacts, setText } from '../lib/dom.ts'
import { pause, whenVisible } from '../lib/time.ts'
import { receiptFacts, receiptMailText } from '../../src/contracts/words/receipt.ts'
import type { Receipt } from '../../src/contracts/shapes.ts'
import { say } from '../lib/words.ts'

const AGAIN_MS = 3000
/** A mail that takes longer than that is in trouble; the page then says what it said last. */
const LOOKS = 40

/** The receipt of a paid order, with what becomes of its mail while that is on its way. */
export async function showReceipt(orderId: string): Promise<void> {
  byId('print').onclick = () => print()
  for (let looks = 0; looks < LOOKS; looks++) {
    await whenVisible()
    const answer = await ask<Receipt>(`/api/orders/${orderId}/receipt`)
    if (answer.kind === 'ok') {
      draw(answer.body)
      if (answer.body.mail !== 'on_its_way') return
    } else if (answer.kind === 'problem' && answer.problem.status < 500) return
    await pause(AGAIN_MS)
  }
}

function draw(receipt: Receipt): void {
  drawFacts(byId('receipt-facts'), receiptFacts(say, receipt))
  const mail = receiptMailText(say, receipt)
  setText(byId('receipt-mail'), mail)
  byId('receipt-mail').hidden = mail === ''
  byId('receipt').hidden = false
  byId('bill').hidden = true
  // A mail that went out can not go anywhere else.
  if (receipt.mail === 'sent') byId('contact').hidden = true
}
