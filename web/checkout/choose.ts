import { ask, explain } from '../lib/api.ts'
import { byId, element, notice, setText } from '../lib/dom.ts'
import { pollStock } from '../lib/live-stock.ts'
import type { Memory } from '../lib/memory.ts'
import { randomId } from '../lib/memory.ts'
import type { ServerClock } from '../lib/server-clock.ts'
import { stockText } from '../../src/contracts/words/stock.ts'
import { everyTick, pause } from '../lib/time.ts'
import { wantedItem } from '../lib/wanted.ts'
import type { ClaimAnswer, Product, Sale } from '../../src/contracts/shapes.ts'
import { type Attempt, type CheckoutMemory, judge, passEnd, type Refusal, type Verdict } from './attempt.ts'
import { showScene } from './scenes.ts'
import { say } from '../lib/words.ts'

/** Unsettled answers in a row before the buyer is asked to press the button again. */
const SILENT_RETRIES = 3

export interface Choosing {
  readonly sale: Sale
  readonly pass: string
  readonly memory: Memory<CheckoutMemory>
  readonly clock: ServerClock
}

export type Chosen =
  | { readonly kind: 'claimed'; readonly order_id: string }
  | { readonly kind: 'no_pass'; readonly title: string; readonly detail: string }

/** Lets the buyer pick an item and claim it; resolves when that is settled one way or the other. */
export function choose({ sale, pass, memory, clock }: Choosing): Promise<Chosen> {
  setText(byId('sale-name'), sale.name)
  byId('items').replaceChildren(...sale.products.map((product) => itemChoice(product)))
  for (const product of sale.products)
    void pollStock(product.id, (stock) => {
      clock.observe(stock.server_time)
      setText(byId(`stock-${product.id}`), stockText(say, stock))
      byId(`stock-${product.id}`).dataset['state'] = stock.state
    })
  everyTick(() => {
    const left = (passEnd(pass) ?? Infinity) - clock.now()
    setText(byId('pass-end'), left === Infinity ? '' : `Your pass is good for ${say.countdown(left)}.`)
  })
  preselect(memory.read()?.attempt?.item_id ?? wantedItem(sale.id).read())
  showScene('choose')

  return new Promise((resolve) => {
    const send = async (attempt: Attempt) => {
      memory.write({ pass, attempt })
      setBusy(true)
      const verdict = await sendAttempt(pass, attempt)
      setBusy(false)
      if (verdict.kind === 'got') {
        memory.write({ pass, claim: { ...verdict.claim, item_id: attempt.item_id } })
        return resolve({ kind: 'claimed', order_id: verdict.claim.order_id })
      }
      // An unsettled attempt is kept: whatever comes next repeats it. A refused one is over, its pass is free.
      if (verdict.kind === 'unsure') return showUnsure()
      memory.write({ pass })
      if (verdict.kind !== 'over') return showRefusal(verdict, sale.products.length)
      memory.forget()
      const { title, detail = 'A new pass comes from the waiting room.' } = verdict.problem
      resolve({ kind: 'no_pass', title, detail })
    }
    byId('claim').addEventListener('submit', (event) => {
      event.preventDefault()
      void send(memory.read()?.attempt ?? { idempotency_key: randomId(), ...selection(sale.products) })
    })
    byId('items').addEventListener('change', () => drawQuantities(sale.products))
    drawQuantities(sale.products)
    // A refresh in the middle of a claim: ask again what became of it.
    const unsettled = memory.read()?.attempt
    if (unsettled !== undefined) void send(unsettled)
  })
}

async function sendAttempt(pass: string, { idempotency_key, item_id, quantity }: Attempt): Promise<Verdict> {
  for (let retries = 0; ; retries++) {
    const answer = await ask<ClaimAnswer>('/api/claims', {
      method: 'POST',
      headers: { Authorization: `Bearer ${pass}`, 'Idempotency-Key': idempotency_key },
      body: { item_id, quantity },
    })
    const verdict = judge(answer)
    if (verdict.kind !== 'unsure') return verdict
    if (answer.kind !== 'ok') notice(byId('trouble'), { ...explain(answer), detail: 'Asking again…' })
    if (retries === SILENT_RETRIES) return verdict
    await pause(1000 * verdict.again_s)
  }
}

function itemChoice(product: Product): HTMLElement {
  return element(
    'label',
    { class: 'choice' },
    element('input', { type: 'radio', name: 'item', value: product.id, required: true }),
    element(
      'span',
      {},
      element('strong', {}, product.name),
      element('span', { class: 'quiet stock', id: `stock-${product.id}` }, '\u00a0'),
    ),
    element('span', { class: 'price' }, say.money(product.amount, product.currency)),
  )
}

function radios(): HTMLInputElement[] {
  return [...byId('items').querySelectorAll('input')]
}

/** Nobody claims by accident what happens to be first in a list. */
function preselect(wanted: string | undefined): void {
  const all = radios()
  const chosen = all.length === 1 ? all[0] : all.find((radio) => radio.value === wanted)
  if (chosen !== undefined) chosen.checked = true
}

function selection(products: readonly Product[]): Pick<Attempt, 'item_id' | 'quantity'> {
  const item_id = radios().find((radio) => radio.checked)?.value ?? products[0]?.id ?? ''
  return { item_id, quantity: Number(byId('quantity', HTMLSelectElement).value) || 1 }
}

function drawQuantities(products: readonly Product[]): void {
  const limit = products.find(({ id }) => id === selection(products).item_id)?.per_buyer_limit ?? 1
  const options = Array.from({ length: Math.min(limit, 20) }, (_, index) => String(index + 1))
  byId('quantity').replaceChildren(...options.map((value) => element('option', { value }, value)))
  byId('quantity-row').hidden = limit === 1
}

function setBusy(busy: boolean): void {
  byId('claim-button', HTMLButtonElement).disabled = busy
  for (const radio of radios()) radio.disabled = busy
  setText(byId('claim-button'), busy ? 'Claiming…' : 'Claim it')
  if (busy) {
    notice(byId('refusal'), undefined)
    notice(byId('trouble'), undefined)
  }
}

function showUnsure(): void {
  setText(byId('claim-button'), 'Try again')
  const detail = 'We do not know yet whether you have it. Trying again is safe: it can not be claimed twice.'
  notice(byId('trouble'), { title: 'No clear answer.', detail })
  // The item stays as it was sent: another one would be another claim.
  for (const radio of radios()) radio.disabled = true
}

function showRefusal({ kind, problem }: Refusal, items: number): void {
  const others = items > 1 ? ' Your pass is still good for the others.' : ''
  const words = {
    not_this_time: ['Not this time.', `This one is sold out.${others}`],
    held: [
      'All held right now.',
      'Some may not be paid for and come back: your pass is still good, try again.',
    ],
    try_later: [`${problem.title}.`, problem.detail ?? ''],
  } as const
  const [title, detail] = words[kind]
  setText(byId('claim-button'), 'Try again')
  notice(byId('refusal'), { title, detail })
}
