/**
 * Stands for https://js.stripe.com/v3, as much of it as the checkout uses, called as that is: `Stripe(key)`,
 * `elements().create('card')`, `mount`, `confirmCardPayment`. The card is typed into a frame of the sandbox's origin;
 * neither this script nor the page sees it.
 */
import type { Confirmed, FromFrame, ToFrame } from './messages.ts'

const HERE = new URL((document.currentScript as HTMLScriptElement).src)
type Listener = (event: object) => void

class CardElement {
  readonly #listeners = new Map<string, Listener[]>()
  readonly #waiting = new Map<number, (result: Confirmed) => void>()
  #frame: HTMLIFrameElement | undefined
  #port: MessagePort | undefined
  #asked = 0
  readonly #locale: string

  constructor(locale: string) {
    this.#locale = locale
  }

  mount(place: string | HTMLElement): void {
    const container = typeof place === 'string' ? document.querySelector<HTMLElement>(place) : place
    if (container === null) throw new Error('There is nothing to mount the element in')
    const frame = document.createElement('iframe')
    frame.src = new URL(`/v3/card?locale=${encodeURIComponent(this.#locale)}`, HERE).href
    frame.title = 'Secure card payment input frame'
    frame.allow = 'payment *'
    Object.assign(frame.style, { border: '0', width: '100%', height: '1.5rem', display: 'block' })
    frame.addEventListener('load', () => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = ({ data }: MessageEvent<FromFrame>) => this.#hear(data, container)
      this.#port = port1
      frame.contentWindow?.postMessage('card', HERE.origin, [port2])
    })
    container.replaceChildren(frame)
    this.#frame = frame
  }

  on(event: string, listener: Listener): this {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener])
    return this
  }

  focus(): void {
    this.#frame?.focus()
    this.#tell({ kind: 'focus' })
  }

  update(): void {
    // The sandbox's frame has its own looks.
  }

  destroy(): void {
    this.#frame?.remove()
    this.#port?.close()
  }

  confirm(key: string, client_secret: string, return_url: string | undefined): Promise<Confirmed> {
    return new Promise((resolve) => {
      const id = ++this.#asked
      this.#waiting.set(id, resolve)
      this.#tell({ kind: 'confirm', id, key, client_secret, return_url })
    })
  }

  #tell(message: ToFrame): void {
    this.#port?.postMessage(message)
  }

  #hear(message: FromFrame, container: HTMLElement): void {
    switch (message.kind) {
      case 'submit':
        return container.closest('form')?.requestSubmit()
      case 'confirmed':
        this.#waiting.get(message.id)?.(message.result)
        this.#waiting.delete(message.id)
        return
      case 'ready':
      case 'change':
        for (const listener of this.#listeners.get(message.kind) ?? []) listener(message)
    }
  }
}

interface Confirmation {
  readonly payment_method?: { readonly card?: unknown }
  readonly return_url?: string
}

Object.assign(window, {
  Stripe: (key: string) => ({
    elements: ({ locale = 'auto' }: { locale?: string } = {}) => ({ create: () => new CardElement(locale) }),
    confirmCardPayment: (secret: string, { payment_method, return_url }: Confirmation = {}) => {
      const card = payment_method?.card
      if (!(card instanceof CardElement)) throw new Error('The sandbox confirms a mounted card element only')
      return card.confirm(key, secret, return_url)
    },
  }),
})
