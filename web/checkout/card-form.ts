import { config } from '../lib/config.ts'
import { byId, notice } from '../lib/dom.ts'
import { say } from '../lib/words.ts'
import type { Confirmation } from './confirmation.ts'
import { type CardFields, drawCardFields, type StripePayment } from './stripe.ts'

/** How long a press of the button waits for the provider's fields. */
const FIELDS_MS = 5000

export interface CardForm {
  /** Draws the provider's fields, once; a failure is told, with a way on. */
  readonly draw: (payment: StripePayment) => void
  /** Pays with what is typed. */
  readonly confirm: (payment: StripePayment, returnUrl: string) => Promise<Confirmation>
  readonly focus: () => void
}

/** The card form. `pay` resolves with what to tell the buyer, if anything. */
export function wireCardForm(pay: () => Promise<string | undefined>): CardForm {
  const button = byId('pay', HTMLButtonElement)
  const retry = byId('card-retry', HTMLButtonElement)
  const place = byId('card-fields')
  let fields: CardFields | undefined
  let drawing: Promise<void> | undefined
  let last: StripePayment | undefined

  const complain = (title: string | undefined, detail = '') =>
    notice(byId('card-error'), title === undefined ? undefined : { title, detail })

  const draw = (payment: StripePayment) => {
    last = payment
    drawing ??= load(payment)
  }
  const load = async (payment: StripePayment) => {
    place.setAttribute('aria-busy', 'true')
    try {
      fields = await drawCardFields(payment, place)
      fields.onChange(() => complain(undefined))
    } catch {
      const paypal = config.payment_providers?.split(' ').includes('paypal') ?? false
      complain(
        say('checkout.card.away'),
        say(paypal ? 'checkout.card.away_or_paypal' : 'checkout.card.away_text'),
      )
      retry.hidden = false
    }
    place.removeAttribute('aria-busy')
  }

  retry.addEventListener('click', () => {
    retry.hidden = true
    complain(undefined)
    drawing = undefined
    if (last !== undefined) draw(last)
  })
  byId('card-label').addEventListener('click', () => fields?.focus())
  byId('card').addEventListener('submit', (event) => {
    event.preventDefault()
    void submit()
  })

  async function submit(): Promise<void> {
    if (button.disabled) return
    // What a failure to load said stays: nothing was typed yet.
    if (retry.hidden) complain(undefined)
    button.disabled = true
    try {
      const said = await pay()
      if (said !== undefined) complain(said)
    } finally {
      button.disabled = false
    }
  }

  return {
    draw,
    focus: () => fields?.focus(),
    confirm: async (payment, returnUrl) => {
      draw(payment)
      await Promise.race([drawing, new Promise((resolve) => setTimeout(resolve, FIELDS_MS))])
      if (fields === undefined) return { kind: 'incomplete', message: say('checkout.card.away') }
      return fields.confirm(payment, returnUrl)
    },
  }
}
