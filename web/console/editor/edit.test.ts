import { expect, test } from 'bun:test'
import { OperatorSale } from '../../../src/contracts/sale-editing-http.ts'
import { check } from './check.ts'
import { newProduct } from './draft.ts'
import { changesIn, draftOf } from './edit.ts'

const sale = OperatorSale.parse({
  ...{ id: 'friday', name: 'Friday', state: 'open', message: '', rehearsal: false, draw_commitment: null },
  // With seconds, which the form's fields do not have.
  ...{ opens_at: Date.UTC(2026, 10, 27, 12, 0, 17), ends_at: null, lobby_opens_at: null, post_sale_at: null },
  ...{ rate_per_second: 20, payment_window_s: 300, hold_s: 600, pass_s: 600, turn_s: 120 },
  ...{ checkout_cap: null, checkouts_per_unit: 3, standby_threshold: null, order: 'fifo' },
  guard: { proof_of_work: { hashes: 7 }, decoy: { on: true } },
  oversell: { approval: 'two_persons', gift_card: { amount: 500 }, valid_days: 30 },
  queue_url: 'http://queue.localhost/friday',
  ...{ stage: 'lobby', editable: [], editable_products: [], accepts_products: true },
  products: [
    {
      ...{ id: 'lamp', sale_id: 'friday', name: 'Lamp', description: '', amount: 1999, currency: 'EUR' },
      ...{ units: 5, per_buyer_limit: 1, picture: { path: '/x', width: 1, height: 1, alt: '' } },
    },
  ],
})
const initial = draftOf(sale)
const [lamp = newProduct()] = initial.products

test('a sale that exists fits the form, and untouched nothing of it changes', () => {
  expect(check(initial, sale.opens_at - 60_000)).toEqual({})
  expect(initial).toMatchObject({ gift: 'amount', gift_value: '5.00', decoy: true, proof_of_work: true })
  expect(changesIn(initial, { ...initial })).toEqual({ edit: {}, lines: [] })
})

test('only what was changed is sent, and told as it was and as it will be', () => {
  const draft = { ...initial, rate_per_second: '30', checkout_cap: '9', limits: false }
  const { edit, lines } = changesIn(initial, draft)
  expect(edit).toMatchObject({ rate_per_second: 30, checkout_cap: 9 })
  // What the form does not show of the guard is kept.
  expect(edit['guard']).toMatchObject({ proof_of_work: { hashes: 7, on: true }, limits: { on: false } })
  expect(Object.keys(edit).sort()).toEqual(['checkout_cap', 'guard', 'rate_per_second'])
  expect(lines).toEqual([
    'People let in a second: 20 → 30',
    'Most people in checkout: none → 9',
    'Limits: on → off',
  ])
})

test('a product sends its id and what changed of it; a new one all of it', () => {
  const vase = { ...newProduct(), id: 'vase', name: 'Vase', price: '7', units: '3' }
  const { edit, lines } = changesIn(initial, { ...initial, products: [{ ...lamp, price: '17.50' }, vase] })
  expect(edit).toEqual({
    products: [
      { id: 'lamp', amount: 1750 },
      {
        ...{ id: 'vase', name: 'Vase', description: '', amount: 700, currency: 'EUR' },
        ...{ units: 3, per_buyer_limit: 1 },
      },
    ],
  })
  expect(lines).toEqual(['Lamp, price: 19.99 → 17.50', 'New product: Vase, 7 EUR'])
})
