import { ask, explain, type Refused } from '../lib/api.ts'
import { byId, notice } from '../lib/dom.ts'
import { config } from '../lib/config.ts'
import type { Memory } from '../lib/memory.ts'
import type { ServerClock } from '../lib/server-clock.ts'
import { backoffMs, everyTick, pause, whenVisible } from '../lib/time.ts'
import { inChosenLanguage, say } from '../lib/words.ts'
import { leftToPay } from '../../src/contracts/words/gift-card.ts'
import type { Order, PaymentAnswer, Product, Stock } from '../../src/contracts/shapes.ts'
import type { CheckoutMemory } from './attempt.ts'
import { type BankSaid, wireBank } from './bank.ts'
import { wireCancel } from './cancel.ts'
import { wireCardForm } from './card-form.ts'
import { wireContact } from './contact.ts'
import { PATIENCE_MS } from './find-out.ts'
import { showGiftCard, wireGiftCard } from './gift-card.ts'
import { drawOrder, type Progress } from './order-view.ts'
import { type PaypalSaid, wirePaypal } from './paypal.ts'
import { showReceipt } from './receipt.ts'
import { showNoOrder } from './refusals.ts'
import { showScene } from './scenes.ts'
import type { StripePayment } from './stripe.ts'

/** While something is about to change, while only the time runs, and once it is paid: its money may still be lost. */
const QUICK_MS = 700
const CALM_MS = 3000
const PAID_MS = 10_000

export interface Paying {
  readonly sale: string
  readonly orderId: string
  readonly memory: Memory<CheckoutMemory>
  readonly clock: ServerClock
  /** What the bank's page sent the buyer back with. */
  readonly bankSaid: BankSaid | undefined
  readonly paypalSaid: PaypalSaid | undefined
}

/** Shows an order until it is over, and takes the payment. Runs as long as the page. */
export async function payOrder({ sale, orderId, memory, clock, ...said }: Paying): Promise<void> {
  let order: Order | undefined
  let product: Product | undefined
  let payment: (StripePayment & { readonly amount: number }) | undefined
  let changes = 0
  let wake = () => {}
  let restored = false
  /** Whether the receipt is there, or on its way. */
  let told = false
  let progress: Progress = 'none'
  let until = 0

  const draw = () => {
    if (progress !== 'none' && performance.now() > until) {
      progress = 'none'
      notice(byId('pay-error'), { title: say('checkout.no_word'), detail: say('checkout.no_word.text') })
    }
    if (order !== undefined) drawOrder(order, product, clock, progress)
  }
  const go = (to: Progress, forMs = PATIENCE_MS) => {
    progress = forMs > 0 ? to : 'none'
    until = performance.now() + forMs
    draw()
  }
  /** Something of the order has changed here: what is asked right now is older. */
  const change = (to: Partial<Order>) => {
    if (order !== undefined) order = { ...order, ...to }
    changes += 1
    draw()
    wake()
  }

  byId('again').setAttribute('href', inChosenLanguage(`${config.queue_url}/${sale}#new`))
  const giftCard = wireGiftCard(orderId, ({ gift_part, status }) => change({ gift_part, status }))
  const cardForm = wireCardForm(() => giftCard.whileFixed(pay))
  const bank = wireBank({ orderId, said: said.bankSaid, waitFor: () => go('sent') })
  wirePaypal({ orderId, said: said.paypalSaid, waitFor: (ms) => go('sent', ms) })
  wireCancel(orderId, change)

  for (;;) {
    await whenVisible()
    const before = changes
    const answer = await ask<Order>(`/api/orders/${orderId}`)
    // As it was before the change.
    if (changes !== before) continue
    if (answer.kind === 'ok') {
      notice(byId('trouble'), undefined)
      if (order === undefined) product = await start(answer.body)
      await take(answer.body)
      if (order?.status === 'FAILED') return
    } else {
      const unknown = answer.kind === 'problem' && answer.problem.code === 'unknown_order'
      const receipt = memory.read()?.claim?.receipt
      if (unknown && receipt !== undefined && !restored) {
        // The shop forgot what it said yes to: its own receipt brings it back.
        restored = true
        await ask('/api/receipts', { method: 'POST', body: { receipt } })
        continue
      }
      if (order === undefined && isFinal(answer)) return showNoOrder()
      notice(byId('trouble'), explain(answer))
    }
    const woken = new Promise<void>((resolve) => (wake = resolve))
    await Promise.race([pause(restMs()), woken])
  }

  /** What follows from the order as it is now. */
  async function take(now: Order): Promise<void> {
    order = now
    const paid = isPaid(now)
    if (paid || now.status === 'FAILED') progress = 'none'
    draw()
    if (paid && !told) void showReceipt(orderId)
    told = paid
    if (now.failure_reason === 'oversold') void showGiftCard(orderId)
    if (now.status === 'PENDING' || now.pay_again) payment = await currentPayment(now)
  }

  function restMs(): number {
    if (order === undefined) return backoffMs(1)
    if (isPaid(order)) return PAID_MS
    return progress !== 'none' || order.status === 'PROCESSING' ? QUICK_MS : CALM_MS
  }

  /** What is shown with the order: the product, and the server's time for the countdown. */
  async function start(first: Order): Promise<Product | undefined> {
    const [found, stock] = await Promise.all([
      ask<Product>(`/api/products/${first.item_id}`),
      ask<Stock>(`/api/items/${first.item_id}/stock`),
    ])
    if (stock.kind === 'ok') clock.observe(stock.body.server_time)
    showScene('order')
    void wireContact(orderId, () => {
      if (order?.status === 'PAID') void showReceipt(orderId)
    })
    everyTick(draw)
    return found.kind === 'ok' ? found.body : undefined
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
    if (answer.kind !== 'ok') {
      // Whoever pays nothing real can not pay at all where the provider takes real money.
      const forGood = answer.kind === 'problem' && answer.problem.code === 'rehearsal_only'
      if (forGood) notice(byId('pay-error'), explain(answer))
      return undefined
    }
    const { publishable_key = '', client_secret = '', api_url = '', script_url = '' } = answer.body.browser
    byId('test-cards').hidden = !publishable_key.startsWith('pk_test')
    const prepared = { publishable_key, client_secret, api_url, script_url, amount }
    cardForm.draw(prepared)
    return prepared
  }

  /** Returns what to tell the buyer beside the form. */
  async function pay(): Promise<string | undefined> {
    if (order !== undefined && isPaid(order)) return undefined
    for (const error of ['pay-error', 'paypal-error']) notice(byId(error), undefined)
    if (!navigator.onLine) return say('checkout.offline')
    for (let tries = 0; tries < 10; tries++) {
      payment = order && (await currentPayment(order))
      if (payment !== undefined) break
      await pause(500)
    }
    if (payment === undefined) return say('checkout.not_started')
    const returnUrl = `${location.origin}${location.pathname}?order=${orderId}`
    const confirmation = await cardForm.confirm(payment, returnUrl)
    switch (confirmation.kind) {
      case 'authorised':
        go('sent')
        return undefined
      case 'unsure':
        go('unanswered')
        bank.find()
        return undefined
      case 'action':
        go('bank')
        location.assign(confirmation.url)
        return undefined
      case 'over':
        // Closed meanwhile; the shop opens another.
        payment = undefined
        return say('checkout.too_long')
      case 'incomplete':
      case 'declined':
        return confirmation.message
    }
  }
}

/** No asking again would change it. */
function isFinal(refused: Refused): boolean {
  return refused.kind === 'problem' && refused.problem.status < 500 && refused.problem.status !== 429
}

/** Paid, with the money there. */
function isPaid({ status, pay_again }: Order): boolean {
  return status === 'PAID' && !pay_again
}
