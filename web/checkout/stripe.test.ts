import { expect, test } from 'bun:test'
import { confirmationForm, intentId, readConfirmation } from './stripe.ts'

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

test('an authorised payment, also one that was authorised before', () => {
  expect(readConfirmation(true, { status: 'requires_capture' })).toEqual({ kind: 'authorised' })
  const again = { type: 'invalid_request_error', payment_intent: { status: 'requires_capture' } }
  expect(readConfirmation(false, { error: again })).toEqual({ kind: 'authorised' })
})

test("the bank's question is followed only to a web address", () => {
  const asks = (url: string) => ({
    status: 'requires_action',
    next_action: { type: 'redirect_to_url', redirect_to_url: { url } },
  })
  expect(readConfirmation(true, asks('https://bank.example/3ds'))).toEqual({
    kind: 'action',
    url: 'https://bank.example/3ds',
  })
  expect(readConfirmation(true, asks('javascript:alert(1)')).kind).toBe('declined')
})

test('a decline says why in our words, and no more than a thief may know', () => {
  const error = {
    type: 'card_error',
    code: 'card_declined',
    decline_code: 'insufficient_funds',
    message: 'Your card has insufficient funds.',
    payment_intent: { status: 'requires_payment_method' },
  }
  expect(readConfirmation(false, { error })).toEqual({
    kind: 'declined',
    message: 'There is not enough money on this card. Try another one, or pay another way.',
  })
  const words = (decline_code: string) => readConfirmation(false, { error: { ...error, decline_code } })
  expect(words('stolen_card')).toEqual(words('generic_decline'))
  expect(words('fraudulent')).toEqual(words('a code of next year'))
})

test('a payment that was closed is over, another may be started', () => {
  expect(readConfirmation(false, { error: { type: 'x', payment_intent: { status: 'canceled' } } })).toEqual({
    kind: 'over',
  })
})

test('an answer that says nothing about the payment is no decline', () => {
  expect(readConfirmation(false, { error: { type: 'api_error', message: 'down' } })).toEqual({
    kind: 'unsure',
  })
  expect(readConfirmation(false, {})).toEqual({ kind: 'unsure' })
  expect(readConfirmation(true, null)).toEqual({ kind: 'unsure' })
})
