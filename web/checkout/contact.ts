import { ask, explain } from '../lib/api.ts'
import { byId, setText } from '../lib/dom.ts'
import { contactText } from '../../src/contracts/words/receipt.ts'
import type { Contact } from '../../src/contracts/shapes.ts'
import { say } from '../lib/words.ts'

/**
 * The field for the address of the receipt: shown where the shop sends mails, kept as soon as the buyer leaves it, so
 * that going on to pay is enough. A payment never waits for it.
 */
export async function wireContact(orderId: string, onKept: () => void): Promise<void> {
  const path = `/api/orders/${orderId}/contact`
  const known = await ask<Contact>(path)
  if (known.kind !== 'ok' || !known.body.mails) return
  const input = byId('email', HTMLInputElement)
  const tell = (text: string, good = true) => {
    setText(byId('contact-said'), text)
    byId('contact-said').dataset['good'] = String(good)
    input.setAttribute('aria-invalid', String(!good))
  }
  let kept = known.body.email
  input.value = kept ?? ''
  tell(contactText(say, kept))
  byId('contact').hidden = false

  const keep = async () => {
    const email = input.value.trim() || null
    if (email === kept) return tell(contactText(say, kept))
    if (!input.checkValidity()) return tell(say('checkout.email_wrong'), false)
    const answer = await ask<Contact>(path, { method: 'PUT', body: { email } })
    if (answer.kind === 'ok') {
      kept = answer.body.email
      tell(contactText(say, kept))
      return onKept()
    }
    if (answer.kind === 'problem' && answer.problem.code === 'bad_request')
      return tell(say('checkout.email_wrong'), false)
    const { title, detail } = explain(answer)
    tell(say('checkout.not_kept', { why: `${title}. ${detail}` }), false)
  }
  input.addEventListener('change', () => void keep())
  byId('contact').addEventListener('submit', (event) => {
    event.preventDefault()
    void keep()
  })
}
