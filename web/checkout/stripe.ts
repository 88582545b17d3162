import { element } from '../lib/dom.ts'
import { say } from '../lib/words.ts'
import { type ConfirmResult, type Confirmation, readConfirmation } from './confirmation.ts'

/** What the server hands the browser to pay one order (`browser` of the payment answer). */
export interface StripePayment {
  readonly publishable_key: string
  readonly client_secret: string
  /** Origin of the provider's API, as browsers reach it. */
  readonly api_url: string
  /** Of the provider's card fields. */
  readonly script_url: string
}

const TIMEOUT_MS = 15_000

/** Stripe.js as far as this page uses it; the sandbox answers to the same calls. */
interface CardElement {
  mount(place: HTMLElement): void
  on(event: 'ready' | 'change', listener: () => void): void
  update(options: { style: object }): void
  focus(): void
  destroy(): void
}
interface StripeJs {
  elements(options: { locale: string }): { create(kind: 'card', options: object): CardElement }
  confirmCardPayment(secret: string, data: object, options: object): Promise<ConfirmResult>
}

/** The provider's card fields on the page: frames of its own, so that no number touches the page or the shop. */
export interface CardFields {
  readonly focus: () => void
  /** Called at each change of what is typed. */
  readonly onChange: (listener: () => void) => void
  /** Pays. `returnUrl` is where the bank's page sends the buyer back to. Never throws. */
  readonly confirm: (payment: StripePayment, returnUrl: string) => Promise<Confirmation>
}

/**
 * Loads the provider's script and draws its card fields into `place`. Rejects where that takes too long or fails; it
 * may be tried again.
 */
export async function drawCardFields(payment: StripePayment, place: HTMLElement): Promise<CardFields> {
  const stripe = (await loadStripe(payment.script_url))(payment.publishable_key, {
    locale: document.documentElement.lang,
  })
  const card = stripe
    .elements({ locale: say.language })
    .create('card', { hidePostalCode: true, style: looks(place) })
  const ready = new Promise<void>((resolve) => card.on('ready', resolve))
  card.mount(place)
  try {
    await inTime(ready)
  } catch (error) {
    card.destroy()
    throw error
  }
  // What the provider draws follows the page into the dark and back.
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
    card.update({ style: looks(place) }),
  )
  return {
    focus: () => card.focus(),
    onChange: (listener) => card.on('change', listener),
    confirm: async ({ client_secret }, return_url) => {
      try {
        // The bank's question is asked on a page of its own, from where the buyer comes back.
        const paying = stripe.confirmCardPayment(
          client_secret,
          { payment_method: { card }, return_url },
          { handleActions: false },
        )
        return readConfirmation(say, await inTime(paying))
      } catch {
        return { kind: 'unsure' }
      }
    },
  }
}

type StripeFactory = (key: string, options: { locale: string }) => StripeJs

/** From the provider, always: it must not be a copy of ours. */
async function loadStripe(address: string): Promise<StripeFactory> {
  const found = () => (globalThis as { Stripe?: StripeFactory }).Stripe
  const script = element('script', { src: address })
  const loaded = new Promise<void>((resolve, reject) => {
    script.addEventListener('load', () => resolve())
    script.addEventListener('error', () => reject(new Error(`no script from ${address}`)))
  })
  if (found() === undefined) {
    document.head.append(script)
    await inTime(loaded).finally(() => script.remove())
  }
  const stripe = found()
  if (stripe === undefined) throw new Error(`${address} has no Stripe`)
  return stripe
}

function inTime<T>(work: Promise<T>): Promise<T> {
  const late = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error('the provider does not answer')), TIMEOUT_MS),
  )
  return Promise.race([work, late])
}

/** The page's own colours and size of text, for what the provider draws. */
function looks(place: HTMLElement): object {
  const { color, fontSize } = getComputedStyle(place)
  return { base: { color, iconColor: color, fontSize, '::placeholder': { color } } }
}
