import type { Card } from './card.ts'

export function intentId(clientSecret: string): string {
  return clientSecret.split('_secret_')[0] ?? ''
}

/** The confirmation of a payment as a browser sends it to Stripe's API. */
export function confirmationForm(
  clientSecret: string,
  card: Card,
  returnUrl: string | undefined,
): URLSearchParams {
  const form = new URLSearchParams({ client_secret: clientSecret })
  if (returnUrl !== undefined) form.set('return_url', returnUrl)
  form.set('payment_method_data[type]', 'card')
  for (const [field, value] of Object.entries<string>({ ...card }))
    form.set(`payment_method_data[card][${field}]`, value)
  return form
}
