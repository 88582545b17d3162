/** The card's fields, in a frame of the sandbox's origin: what is typed here goes to the sandbox's API and nowhere else. */
import { type CardField, groupDigits, readCard } from './card.ts'
import { confirmationForm, intentId } from './confirmation.ts'
import type { Confirmed, FromFrame, ToFrame } from './messages.ts'
import { frameSay, labelFields } from './words.ts'

const input = (id: CardField) => document.getElementById(id) as HTMLInputElement
const inputs: Readonly<Record<CardField, HTMLInputElement>> = {
  number: input('number'),
  expiry: input('expiry'),
  cvc: input('cvc'),
}
const fields = Object.values(inputs)
const say = frameSay(new URL(location.href).searchParams.get('locale'))
labelFields(say, inputs)
const typed = () => ({ number: inputs.number.value, expiry: inputs.expiry.value, cvc: inputs.cvc.value })

window.addEventListener('message', ({ data, source, ports: [port] }) => {
  if (data === 'card' && source === window.parent && port !== undefined) serve(port)
})

function serve(port: MessagePort): void {
  const tell = (message: FromFrame) => port.postMessage(message)
  port.onmessage = ({ data }: MessageEvent<ToFrame>) => {
    if (data.kind === 'focus') return inputs.number.focus()
    void confirm(data).then((result) => tell({ kind: 'confirmed', id: data.id, result }))
  }
  for (const field of fields) {
    field.addEventListener('input', () => {
      // Only while typing at the end: regrouping in the middle would move the caret.
      const { value, selectionEnd } = inputs.number
      if (field === inputs.number && selectionEnd === value.length) field.value = groupDigits(value)
      field.removeAttribute('aria-invalid')
      const complete = readCard(typed(), new Date()).kind === 'card'
      tell({ kind: 'change', complete, empty: fields.every((one) => one.value === '') })
    })
    field.addEventListener('keydown', ({ key }) => {
      if (key === 'Enter') tell({ kind: 'submit' })
    })
  }
  tell({ kind: 'ready' })
}

async function confirm(asked: Extract<ToFrame, { kind: 'confirm' }>): Promise<Confirmed> {
  const reading = readCard(typed(), new Date())
  for (const field of fields) field.removeAttribute('aria-invalid')
  if (reading.kind === 'wrong') {
    const field = inputs[reading.field]
    field.setAttribute('aria-invalid', 'true')
    field.focus()
    return {
      error: {
        type: 'validation_error',
        code: `incomplete_${reading.field}`,
        message: say(`card.wrong.${reading.what}`),
      },
    }
  }
  const { client_secret, key, return_url } = asked
  try {
    const response = await fetch(
      `/v1/payment_intents/${encodeURIComponent(intentId(client_secret))}/confirm`,
      {
        method: 'POST',
        headers: { Authorization: `Bearer ${key}` },
        body: confirmationForm(client_secret, reading.card, return_url),
      },
    )
    const body = (await response.json()) as Confirmed
    return response.ok ? { paymentIntent: body } : body
  } catch {
    return { error: { type: 'api_connection_error' } }
  }
}
