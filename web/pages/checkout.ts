import { type Answer, ask, explain } from '../lib/api.ts'
import { config } from '../lib/config.ts'
import { byId, notice } from '../lib/dom.ts'
import { createMemory } from '../lib/memory.ts'
import { createServerClock } from '../lib/server-clock.ts'
import { backoffMs, pause } from '../lib/time.ts'
import { say } from '../lib/words.ts'
import type { Order, Sale } from '../../src/contracts/shapes.ts'
import { problemText } from '../../src/contracts/words/problem.ts'
import type { CheckoutMemory } from '../checkout/attempt.ts'
import { choose } from '../checkout/choose.ts'
import { type Paying, payOrder } from '../checkout/pay.ts'
import { showNoPass } from '../checkout/refusals.ts'

/** The checkout of one sale: a pass becomes a claim, a claim an order, an order a payment. */
const saleId = decodeURIComponent(location.pathname.split('/')[2] ?? '')
const queueUrl = `${config.queue_url}/${saleId}`
const memory = createMemory<CheckoutMemory>(() => sessionStorage, `doorbuster.checkout.${saleId}`)
const clock = createServerClock()

// Come back to by the back button, as it was left: look again.
window.addEventListener('pageshow', ({ persisted }) => {
  if (persisted) location.reload()
})
const { orderId, ...said } = readAddress()
const kept = memory.read()
const known = orderId ?? kept?.claim?.order_id
if (known !== undefined) {
  void ask<Sale>(`/api/sales/${saleId}`).then((answer) => answer.kind === 'ok' && tellRehearsal(answer.body))
  await showOrder(known)
} else if (kept?.pass === undefined)
  showNoPass({ title: say('problems.pass_missing'), detail: say('problems.pass_missing.text') }, queueUrl)
else await claimWith(kept.pass)

/** Takes the pass and the bank's answer out of the address: neither belongs into history, bookmarks or screenshots. */
function readAddress(): Pick<Paying, 'bankSaid' | 'paypalSaid'> & { orderId: string | undefined } {
  const pass = new URLSearchParams(location.hash.slice(1)).get('pass')
  const query = new URLSearchParams(location.search)
  // The same pass again is the same visit; a new one starts afresh.
  if (pass !== null && pass !== memory.read()?.pass) memory.write({ pass })
  const order = query.get('order') ?? undefined
  setAddress(order)
  const [redirect, paypal] = [query.get('redirect_status'), query.get('paypal')]
  return {
    orderId: order,
    bankSaid: redirect === 'succeeded' || redirect === 'failed' ? redirect : undefined,
    paypalSaid: paypal === 'approved' || paypal === 'cancelled' ? paypal : undefined,
  }
}

function setAddress(order: string | undefined): void {
  history.replaceState(null, '', location.pathname + (order === undefined ? '' : `?order=${order}`))
}

function showOrder(order: string): Promise<void> {
  setAddress(order)
  return payOrder({ sale: saleId, orderId: order, memory, clock, ...said })
}

async function claimWith(pass: string): Promise<void> {
  const sale = await loadSale()
  if (sale === undefined) return
  const chosen = await choose({ sale, pass, memory, clock })
  if (chosen.kind === 'claimed') return showOrder(chosen.order_id)
  // Another tab has used the pass: what it has got is what there is to see.
  const got = chosen.problem.code === 'pass_used' ? await findOpenOrder() : undefined
  if (got !== undefined) return showOrder(got.order_id)
  showNoPass(problemText(say, chosen.problem), `${queueUrl}#new`)
}

async function findOpenOrder(): Promise<Order | undefined> {
  const answer = await ask<{ orders: Order[] }>('/api/orders')
  return answer.kind === 'ok'
    ? answer.body.orders.find(({ sale_id, status }) => sale_id === saleId && status === 'PENDING')
    : undefined
}

function tellRehearsal({ rehearsal }: Sale): void {
  byId('rehearsal').hidden = !rehearsal
}

async function loadSale(): Promise<Sale | undefined> {
  for (let failures = 0; ; failures++) {
    const answer: Answer<Sale> = await ask(`/api/sales/${saleId}`)
    if (answer.kind === 'ok') {
      notice(byId('trouble'), undefined)
      tellRehearsal(answer.body)
      return answer.body
    }
    if (answer.kind === 'problem' && answer.problem.status === 404) {
      showNoPass(explain(answer), queueUrl)
      return undefined
    }
    notice(byId('trouble'), explain(answer))
    await pause(backoffMs(failures))
  }
}
