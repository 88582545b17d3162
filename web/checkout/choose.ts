import { ask, explain } from '../lib/api.ts'
import { byId, element, notice, setText } from '../lib/dom.ts'
import type { Memory } from '../lib/memory.ts'
import { randomId } from '../lib/memory.ts'
import type { ServerClock } from '../lib/server-clock.ts'
import type { ProblemBody } from '../../src/contracts/problems.ts'
import { stockText } from '../../src/contracts/words/stock.ts'
import { backoffMs, everyTick, pause } from '../lib/time.ts'
import { thumb } from '../lib/thumb.ts'
import { wantedItem } from '../lib/wanted.ts'
import type { ClaimAnswer, Product, Sale } from '../../src/contracts/shapes.ts'
import { type Attempt, type CheckoutMemory, judge, passEnd, sameWish, type Verdict } from './attempt.ts'
import { showRefusal } from './refusals.ts'
import { arrive, showMessage, showScene } from './scenes.ts'
import { type Stocks, watchStocks } from './stocks.ts'
import { say } from '../lib/words.ts'

/** Unsettled answers in a row before the buyer is told that there is none yet. */
const SILENT_RETRIES = 3

export interface Choosing {
  readonly sale: Sale
  readonly pass: string
  readonly memory: Memory<CheckoutMemory>
  readonly clock: ServerClock
}

export type Chosen =
  | { readonly kind: 'claimed'; readonly order_id: string }
  | { readonly kind: 'no_pass'; readonly problem: ProblemBody }

/** Lets the buyer pick an item and claim it; resolves when that is settled one way or the other. */
export async function choose({ sale, pass, memory, clock }: Choosing): Promise<Chosen> {
  const stocks = watchStocks(sale.products, clock)
  setUp(sale, pass, stocks, clock)
  preselect(memory.read()?.attempt?.item_id ?? wantedItem(sale.id).read())
  // A refresh in the middle of a claim: ask again what became of it.
  let attempt = memory.read()?.attempt
  for (;;) {
    attempt ??= { idempotency_key: randomId(), ...(await pick(sale)) }
    memory.write({ pass, attempt })
    const verdict = await settle(pass, attempt)
    if (verdict.kind === 'got') {
      memory.write({ pass, claim: { ...verdict.claim, item_id: attempt.item_id } })
      return { kind: 'claimed', order_id: verdict.claim.order_id }
    }
    if (verdict.kind === 'over') {
      memory.forget()
      return { kind: 'no_pass', problem: verdict.problem }
    }
    // Refused: the attempt is over, and its pass is free.
    memory.write({ pass })
    const way = await showRefusal(verdict, attempt.item_id, sale, stocks)
    attempt = way === 'again' ? sameWish(attempt, verdict, randomId) : undefined
  }
}

/** The buyer's choice, at the press of the button. */
function pick({ products }: Sale): Promise<Omit<Attempt, 'idempotency_key'>> {
  setBusy(false)
  drawQuantities(products)
  showScene('choose')
  arrive(byId('choose-title'), say('checkout.your_turn'), say('checkout.pick'))
  return new Promise((resolve) => {
    byId('claim').onsubmit = (event) => {
      event.preventDefault()
      // Once: what is pressed while it is on its way is the same wish.
      byId('claim').onsubmit = (again) => again.preventDefault()
      setBusy(true)
      resolve(selection(products))
    }
  })
}

/** Sends the attempt until an answer settles it. It may be repeated for ever: it is claimed once at most. */
async function settle(
  pass: string,
  { idempotency_key, item_id, quantity }: Attempt,
): Promise<Exclude<Verdict, { kind: 'unsure' }>> {
  let wake = () => {}
  for (let retries = 0; ; retries++) {
    const answer = await ask<ClaimAnswer>('/api/claims', {
      method: 'POST',
      headers: { Authorization: `Bearer ${pass}`, 'Idempotency-Key': idempotency_key },
      body: { item_id, quantity },
    })
    const verdict = judge(answer)
    if (verdict.kind !== 'unsure') {
      notice(byId('trouble'), undefined)
      return verdict
    }
    if (answer.kind !== 'ok')
      notice(byId('trouble'), { ...explain(answer), detail: say('problems.asking_again') })
    if (retries === SILENT_RETRIES) showUnsure(() => wake())
    const pressed = new Promise<void>((resolve) => (wake = resolve))
    const spreadMs = retries < SILENT_RETRIES ? 0 : backoffMs(retries - SILENT_RETRIES, 1000)
    await Promise.race([pause(Math.max(1000 * verdict.again_s, spreadMs)), pressed])
  }
}

function showUnsure(askNow: () => void): void {
  showMessage<'again'>(
    {
      ...{ mark: 'busy', tone: 'calm' },
      ...{ title: say('checkout.unsure.title'), text: say('checkout.unsure.text') },
      actions: [{ label: say('checkout.ask_now'), press: 'again' }],
    },
    askNow,
  )
}

/** What the scene shows of the sale, from the start and while it lasts. */
function setUp(sale: Sale, pass: string, stocks: Stocks, clock: ServerClock): void {
  setText(byId('sale-name'), sale.name)
  byId('items').replaceChildren(...sale.products.map((product) => itemChoice(product)))
  for (const { id } of sale.products)
    stocks.watch(id, (stock) => {
      setText(byId(`stock-${id}`), stockText(say, stock))
      byId(`stock-${id}`).dataset['state'] = stock.state
    })
  byId('items').onchange = () => drawQuantities(sale.products)
  const end = passEnd(pass)
  everyTick(() => {
    const time = end === undefined ? undefined : say.countdown(end - clock.now())
    setText(byId('pass-end'), time === undefined ? '' : say('checkout.pass_left', { time }))
  })
}

function itemChoice(product: Product): HTMLElement {
  return element(
    'label',
    { class: 'choice' },
    element('input', { type: 'radio', name: 'item', value: product.id, required: true }),
    thumb(product, product.name),
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
  const { item_id, quantity } = selection(products)
  const limit = Math.min(products.find(({ id }) => id === item_id)?.per_buyer_limit ?? 1, 20)
  const options = Array.from({ length: limit }, (_, index) => String(index + 1))
  byId('quantity').replaceChildren(
    ...options.map((value) => element('option', { value, selected: value === String(quantity) }, value)),
  )
  byId('quantity-row').hidden = limit === 1
}

function setBusy(busy: boolean): void {
  for (const radio of radios()) radio.disabled = busy
  byId('claim-button', HTMLButtonElement).disabled = busy
  setText(byId('claim-button'), say(busy ? 'checkout.claiming' : 'checkout.claim'))
}
