import { ask, explain } from '../lib/api.ts'
import { byId, notice } from '../lib/dom.ts'
import { config } from '../lib/config.ts'
import type { Memory } from '../lib/memory.ts'
import type { ServerClock } from '../lib/server-clock.ts'
import { backoffMs, everyTick, pause, whenVisible } from '../lib/time.ts'
import { leftToPay } from '../../src/contracts/words/gift-card.ts'
import type { Order, PaymentAnswer, Product, Stock } from '../../src/contracts/shapes.ts'
import type { CheckoutMemory } from './attempt.ts'
import type { Card } from './card.ts'
import { wireCardForm } from './card-form.ts'
import { wireContact } from './contact.ts'
import { wireGiftCard } from './gift-card.ts'
import { drawOrder } from './order-view.ts'
import { type PaypalSaid, wirePaypal } from './paypal.ts'
import { showReceipt } from './receipt.ts'
import { showScene } from './scenes.ts'
import { confirmCard, type StripePayment } from './stripe.ts'

/** While something is about to change, and while only the time runs. */
const QUICK_MS = 700
const CALM_MS = 3000
/** How long a payment without an answer may still turn out to have gone through before another card is allowed. */
const UNSURE_MS = 30_000

export interface Paying {
  readonly sale: string
  readonly orderId: string
  readonly memory: Memory<CheckoutMemory>
  readonly clock: ServerClock
  /** What the bank's page sent the buyer back with. */
  readonly bankSaid: 'succeeded' | 'failed' | undefined
  readonly paypalSaid: PaypalSaid | undefined
}

/** Shows an order until it is PAID or FAILED, and takes the payment. Runs as long as the page. */
export async function payOrder({ sale, orderId, memory, clock, ...said }: Paying): Promise<void> {
  let order: Order | undefined
  let itemName = ''
  let payment: (StripePayment & { readonly amount: number }) | undefined
  let changes = 0
  let wake = () => {}
  let payingUntil = said.bankSaid === 'succeeded' ? performance.now() + UNSURE_MS : 0
  const paying = () => performance.now() < payingUntil
  const draw = () => {
    if (order !== undefined) drawOrder(order, itemName, clock, paying())
  }

  if (said.bankSaid === 'failed')
    notice(byId('card-error'), {
      title: 'Your bank did not confirm the payment.',
      detail: 'Try again or use another card.',
    })
  byId('again').setAttribute('href', `${config.queue_url}/${sale}#new`)
  const giftCard = wireGiftCard(orderId, ({ gift_part, status }) => {
    if (order !== undefined) order = { ...order, gift_part, status }
    changes += 1
    draw()
    wake()
  })
  wireCardForm((card) => giftCard.whileFixed(() => pay(card)))
  wirePaypal({
    orderId,
    said: said.paypalSaid,
    waitFor: (ms) => {
      payingUntil = performance.now() + ms
      draw()
    },
  })
  wireCancel()
  let restored = false

  for (;;) {
    await whenVisible()
    const before = changes
    const answer = await ask<Order>(`/api/orders/${orderId}`)
    // As it was before a gift card was put or taken off.
    if (changes !== before) continue
    if (answer.kind === 'ok') {
      notice(byId('trouble'), undefined)
      if (order === undefined) itemName = await start(answer.body)
      order = answer.body
      draw()
      if (order.status === 'PAID') void showReceipt(orderId)
      if (order.status === 'PAID' || order.status === 'FAILED') return
      if (order.status === 'PENDING') payment = await currentPayment(order)
    } else {
      const unknown = answer.kind === 'problem' && answer.problem.code === 'unknown_order'
      const receipt = memory.read()?.claim?.receipt
      if (unknown && receipt !== undefined && !restored) {
        // The shop forgot what it said yes to: its own receipt brings it back.
        restored = true
        await ask('/api/receipts', { method: 'POST', body: { receipt } })
        continue
      }
      notice(byId('trouble'), explain(answer))
    }
    const changed = new Promise<void>((resolve) => (wake = resolve))
    const restMs = order === undefined ? backoffMs(1) : paying() || payment === undefined ? QUICK_MS : CALM_MS
    await Promise.race([pause(restMs), changed])
  }

  /** What is shown with the order: the item's name, and the server's time for the countdown. */
  async function start(first: Order): Promise<string> {
    const [product, stock] = await Promise.all([
      ask<Product>(`/api/products/${first.item_id}`),
      ask<Stock>(`/api/items/${first.item_id}/stock`),
    ])
    if (stock.kind === 'ok') clock.observe(stock.body.server_time)
    showScene('order')
    void wireContact(orderId, () => {
      if (order?.status === 'PAID') void showReceipt(orderId)
    })
    everyTick(draw)
    byId('order-title').focus({ preventScroll: true })
    return product.kind === 'ok' ? product.body.name : first.item_id
  }

  /** The payment of what is left to pay now: one that was begun with another amount is begun anew. */
  function currentPayment(of: Order): typeof payment | Promise<typeof payment> {
    return payment?.amount === leftToPay(of) ? payment : preparePayment(leftToPay(of))
  }

  async function preparePayment(amount: number): Promise<typeof payment> {
    const answer = await ask<PaymentAnswer>(`/api/orders/${orderId}/payment`, {
      method: 'POST',
      body: { provider: 'stripe' },
    })
    if (answer.kind !== 'ok') return undefined
    const { publishable_key = '', client_secret = '', api_url = '' } = answer.body.browser
    byId('test-cards').hidden = !publishable_key.startsWith('pk_test')
    return { publishable_key, client_secret, api_url, amount }
  }

  /** Returns what to tell the buyer beside the form. */
  async function pay(card: Card): Promise<string | undefined> {
    if (order?.status === 'PAID') return undefined
    for (let tries = 0; tries < 10; tries++) {
      payment = order && (await currentPayment(order))
      if (payment !== undefined) break
      await pause(500)
    }
    if (payment === undefined) return 'The payment can not be started right now. Try again in a moment.'
    const returnUrl = `${location.origin}${location.pathname}?order=${orderId}`
    const confirmation = await confirmCard(payment, card, returnUrl)
    switch (confirmation.kind) {
      case 'authorised':
      case 'unsure':
        payingUntil = performance.now() + UNSURE_MS
        draw()
        return undefined
      case 'action':
        location.assign(confirmation.url)
        return 'Your bank asks you to confirm. Taking you there…'
      case 'over':
        // Closed meanwhile; the shop opens another.
        payment = undefined
        return 'This took too long. Press the button once more.'
      case 'declined':
        return confirmation.message
    }
  }

  function wireCancel(): void {
    const dialog = byId('cancel-dialog', HTMLDialogElement)
    byId('cancel').addEventListener('click', () => dialog.showModal())
    byId('cancel-no').addEventListener('click', () => dialog.close())
    byId('cancel-yes').addEventListener('click', () => {
      dialog.close()
      void cancel()
    })
  }

  async function cancel(): Promise<void> {
    const answer = await ask<Order>(`/api/orders/${orderId}`, { method: 'DELETE' })
    if (answer.kind !== 'ok') return notice(byId('trouble'), explain(answer))
    order = answer.body
    draw()
  }
}
