import { expect, test } from 'bun:test'
import { createSpeakers } from '../../src/platform/words.ts'
import { type ConfirmResult, readConfirmation as read } from './confirmation.ts'

const readConfirmation = (answer: ConfirmResult) => read(createSpeakers().en, answer)

test('an authorised payment, also one that was authorised before', () => {
  expect(readConfirmation({ paymentIntent: { status: 'requires_capture' } })).toEqual({ kind: 'authorised' })
  const again = { type: 'invalid_request_error', payment_intent: { status: 'requires_capture' } }
  expect(readConfirmation({ error: again })).toEqual({ kind: 'authorised' })
})

test("the bank's question is followed only to a web address", () => {
  const asks = (url: string) => ({
    status: 'requires_action',
    next_action: { type: 'redirect_to_url', redirect_to_url: { url } },
  })
  expect(readConfirmation({ paymentIntent: asks('https://bank.example/3ds') })).toEqual({
    kind: 'action',
    url: 'https://bank.example/3ds',
  })
  expect(readConfirmation({ paymentIntent: asks('javascript:alert(1)') }).kind).toBe('declined')
})

test('a decline says why in our words, and no more than a thief may know', () => {
  const error = {
    type: 'card_error',
    code: 'card_declined',
    decline_code: 'insufficient_funds',
    message: 'Your card has insufficient funds.',
    payment_intent: { status: 'requires_payment_method' },
  }
  expect(readConfirmation({ error })).toEqual({
    kind: 'declined',
    message: 'There is not enough money on this card. Try another one, or pay another way.',
  })
  const words = (decline_code: string) => readConfirmation({ error: { ...error, decline_code } })
  expect(words('stolen_card')).toEqual(words('generic_decline'))
  expect(words('fraudulent')).toEqual(words('a code of next year'))
})

test('a payment that was closed is over, another may be started', () => {
  expect(readConfirmation({ error: { type: 'x', payment_intent: { status: 'canceled' } } })).toEqual({
    kind: 'over',
  })
})

test('an answer that says nothing about the payment is no decline', () => {
  expect(readConfirmation({ error: { type: 'api_error', message: 'down' } })).toEqual({
    kind: 'unsure',
  })
  expect(readConfirmation({ error: { type: 'api_connection_error' } })).toEqual({ kind: 'unsure' })
  expect(readConfirmation({})).toEqual({ kind: 'unsure' })
  expect(readConfirmation({ paymentIntent: null })).toEqual({ kind: 'unsure' })
})

test('what is no card yet is told as the provider tells it', () => {
  const error = { type: 'validation_error', code: 'incomplete_cvc', message: 'Your code is incomplete.' }
  expect(readConfirmation({ error })).toEqual({ kind: 'incomplete', message: 'Your code is incomplete.' })
})
