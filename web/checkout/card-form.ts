import { byId, notice } from '../lib/dom.ts'
import { type Card, type CardField, groupDigits, readCard } from './card.ts'

/** The card form. `pay` gets a card that looks right and resolves with what to tell the buyer, if anything. */
export function wireCardForm(pay: (card: Card) => Promise<string | undefined>): void {
  const inputs: Readonly<Record<CardField, HTMLInputElement>> = {
    number: byId('number', HTMLInputElement),
    expiry: byId('expiry', HTMLInputElement),
    cvc: byId('cvc', HTMLInputElement),
  }
  const button = byId('pay', HTMLButtonElement)

  const complain = (message: string | undefined, field?: CardField) => {
    notice(byId('card-error'), message === undefined ? undefined : { title: message, detail: '' })
    for (const [name, input] of Object.entries(inputs)) {
      if (name === field) input.setAttribute('aria-invalid', 'true')
      else input.removeAttribute('aria-invalid')
    }
    if (field !== undefined) inputs[field].focus()
  }

  inputs.number.addEventListener('input', () => {
    // Only while typing at the end: regrouping in the middle would move the caret.
    const { value, selectionEnd } = inputs.number
    if (selectionEnd === value.length) inputs.number.value = groupDigits(value)
  })

  byId('card').addEventListener('submit', (event) => {
    event.preventDefault()
    void submit()
  })

  async function submit(): Promise<void> {
    if (button.disabled) return
    const { number, expiry, cvc } = inputs
    const reading = readCard({ number: number.value, expiry: expiry.value, cvc: cvc.value }, new Date())
    if (reading.kind === 'wrong') return complain(reading.message, reading.field)
    complain(undefined)
    button.disabled = true
    try {
      complain(await pay(reading.card))
    } finally {
      button.disabled = false
    }
  }
}
