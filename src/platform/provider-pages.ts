/** What the shop's pages load from payment providers, and where they lead: what policies must allow for it. */

export interface CardFields {
  /** Address of the script that draws the provider's card fields, in frames of the provider's. */
  readonly script: string
  /** Origins of its scripts, of its frames, and of what it calls. */
  readonly scripts: readonly string[]
  readonly frames: readonly string[]
  readonly connections: readonly string[]
}

/** Of Stripe.js, or of the sandbox that stands for it at another address of the API. */
export function stripeCardFields(apiUrl: string): CardFields {
  const { origin, hostname } = new URL(apiUrl)
  if (hostname !== 'api.stripe.com')
    return { script: `${origin}/v3`, scripts: [origin], frames: [origin], connections: [origin] }
  const js = ['https://js.stripe.com', 'https://*.js.stripe.com']
  return {
    script: 'https://js.stripe.com/v3',
    scripts: js,
    // The second asks for what a bank wants to know.
    frames: [...js, 'https://hooks.stripe.com'],
    connections: [origin],
  }
}

/** Where PayPal's own pages are, which the shop's forms may lead to. */
export function paypalPages(apiUrl: string): readonly string[] {
  const { origin, hostname } = new URL(apiUrl)
  if (!hostname.endsWith('.paypal.com')) return [origin]
  return [`https://www.${hostname.includes('.sandbox.') ? 'sandbox.' : ''}paypal.com`]
}
