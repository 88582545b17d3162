/** What the script on the shop's page and the card's frame tell each other, over a channel of their own. */

/** To the frame. */
export type ToFrame =
  | { readonly kind: 'focus' }
  | {
      readonly kind: 'confirm'
      readonly id: number
      readonly key: string
      readonly client_secret: string
      readonly return_url: string | undefined
    }

/** As Stripe.js answers. */
export interface Confirmed {
  readonly paymentIntent?: object
  readonly error?: { readonly type: string; readonly code?: string; readonly message?: string }
}

/** From the frame. */
export type FromFrame =
  | { readonly kind: 'ready' }
  | { readonly kind: 'submit' }
  | { readonly kind: 'change'; readonly complete: boolean; readonly empty: boolean }
  | { readonly kind: 'confirmed'; readonly id: number; readonly result: Confirmed }
