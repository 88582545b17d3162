import { expect, test } from 'bun:test'
import { confirmationForm, intentId } from './confirmation.ts'

test("the form is the provider's: brackets, client secret, where to come back to", () => {
  const card = { number: '4242424242424242', exp_month: '12', exp_year: '2034', cvc: '123' }
  expect(
    Object.fromEntries(confirmationForm('pi_1_secret_2', card, 'https://shop.example/checkout/s')),
  ).toEqual({
    client_secret: 'pi_1_secret_2',
    return_url: 'https://shop.example/checkout/s',
    'payment_method_data[type]': 'card',
    'payment_method_data[card][number]': '4242424242424242',
    'payment_method_data[card][exp_month]': '12',
    'payment_method_data[card][exp_year]': '2034',
    'payment_method_data[card][cvc]': '123',
  })
  expect(intentId('pi_1_secret_2')).toBe('pi_1')
})
