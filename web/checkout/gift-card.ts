import { type Answer, ask, explain, type Refused } from '../lib/api.ts'
import { byId, notice, setText } from '../lib/dom.ts'
import { pause } from '../lib/time.ts'
import { giftCardText, leftToPay } from '../../src/contracts/words/gift-card.ts'
import type { GiftCard, GiftCardAnswer, Order } from '../../src/contracts/shapes.ts'
import { say } from '../lib/words.ts'

/** How often an order that is not written yet is asked about. */
const TRIES = 6

export interface GiftCardForm {
  /** Runs this while what is left to pay stays what it is: after a change that is on its way, and without another. */
  whileFixed<Result>(work: () => Promise<Result>): Promise<Result>
}

/** The field for a gift card, and the way to take it off again. `onChange`: told what is left to pay now. */
export function wireGiftCard(orderId: string, onChange: (answer: GiftCardAnswer) => void): GiftCardForm {
  const path = `/api/orders/${orderId}/gift-card`
  const input = byId('gift-code', HTMLInputElement)
  const [use, off] = [byId('gift-use', HTMLButtonElement), byId('gift-off', HTMLButtonElement)]
  let changing: Promise<unknown> = Promise.resolve()
  const lock = (locked: boolean) => {
    use.disabled = off.disabled = locked
  }

  const complain = (message: { title: string; detail: string } | undefined) => {
    notice(byId('gift-error'), message)
    if (message === undefined) input.removeAttribute('aria-invalid')
    else input.setAttribute('aria-invalid', 'true')
  }
  const change = async (method: 'POST' | 'DELETE', body?: { code: string }): Promise<boolean> => {
    lock(true)
    complain(undefined)
    const request = askWritten(() => ask<GiftCardAnswer>(path, { method, body }))
    changing = request
    const answer = await request
    lock(false)
    if (answer.kind === 'ok') onChange(answer.body)
    else complain(refusalOf(answer))
    return answer.kind === 'ok'
  }

  byId('gift').addEventListener('submit', (event) => {
    event.preventDefault()
    if (!use.disabled) void put()
  })
  off.addEventListener('click', () => void takeOff())

  // What had the focus is gone afterwards: it goes on to what can be done next.
  async function put(): Promise<void> {
    const code = input.value.trim()
    if (code === '') complain({ title: say('checkout.gift.empty'), detail: '' })
    if (code === '' || !(await change('POST', { code }))) return input.focus()
    input.value = ''
    byId('gift-details', HTMLDetailsElement).open = false
    off.focus()
  }
  async function takeOff(): Promise<void> {
    if (await change('DELETE')) byId('gift-summary').focus()
    else byId('gift-details', HTMLDetailsElement).open = true
  }

  return {
    whileFixed: async (work) => {
      await changing
      lock(true)
      return work().finally(() => lock(false))
    },
  }
}

/** Shows what gift cards pay of an order. `usable`: one can be put towards it or taken off now. */
export function drawGiftCard(order: Order, usable: boolean): void {
  const used = order.gift_part > 0
  const money = (amount: number) => say.money(amount, order.currency)
  byId('gift').hidden = !usable
  byId('gift-used').hidden = !used
  setText(
    byId('gift-said'),
    used ? say('checkout.gift.pays', { part: money(order.gift_part), left: money(leftToPay(order)) }) : '',
  )
  setText(byId('gift-summary'), say(used ? 'checkout.gift.another' : 'checkout.gift.have'))
}

/** An order is written a moment after its claim: who is quicker waits. */
async function askWritten<Body>(send: () => Promise<Answer<Body>>): Promise<Answer<Body>> {
  for (let tries = 1; ; tries++) {
    const answer = await send()
    const unwritten = answer.kind === 'problem' && answer.problem.code === 'unknown_order'
    if (!unwritten || tries === TRIES) return answer
    await pause(500)
  }
}

function refusalOf(refused: Refused): { title: string; detail: string } {
  if (refused.kind === 'unreachable')
    return { title: say('checkout.gift.no_answer'), detail: say('checkout.gift.no_answer.text') }
  if (refused.problem.code === 'unknown_order')
    return { title: say('checkout.gift.unwritten'), detail: say('checkout.gift.unwritten.text') }
  return explain(refused)
}

/** The card that makes up for an order that was cancelled, where there is one. */
export async function showGiftCard(orderId: string): Promise<void> {
  const answer = await ask<{ gift_cards: GiftCard[] }>('/api/gift-cards')
  const card =
    answer.kind === 'ok' ? answer.body.gift_cards.find(({ order_id }) => order_id === orderId) : undefined
  if (card === undefined) return
  setText(byId('consolation-code'), card.code)
  setText(byId('consolation-worth'), giftCardText(say, card).join('. '))
  byId('consolation').hidden = false
}
