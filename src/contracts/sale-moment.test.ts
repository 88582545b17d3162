import { expect, test } from 'bun:test'
import { saleMoment, shopState } from './sale-moment.ts'

const sale = {
  ...{ state: 'open' as const, opens_at: 1000, ends_at: 5000 },
  ...{ lobby_opens_at: 500, post_sale_at: 6000 },
}

test('time moves a sale from scheduled over lobby and open to ended and over', () => {
  expect([499, 500, 999, 1000, 4999, 5000, 5999, 6000].map((now) => saleMoment(sale, now))).toEqual([
    ...(['scheduled', 'lobby', 'lobby', 'open', 'open', 'ended', 'ended', 'post_sale'] as const),
  ])
  const open = { ...sale, lobby_opens_at: null, ends_at: null, post_sale_at: null }
  expect([saleMoment(open, 0), saleMoment(open, 1e15)]).toEqual(['lobby', 'open'])
})

test('the operator pauses and ends it', () => {
  expect(saleMoment({ ...sale, state: 'paused' }, 2000)).toBe('paused')
  expect(saleMoment({ ...sale, state: 'paused' }, 600)).toBe('lobby')
  expect(saleMoment({ ...sale, state: 'ended' }, 600)).toBe('ended')
})

test('all held and sold out are told apart while it can be bought; the end comes before either', () => {
  expect(shopState(sale, 'held_out', 2000)).toBe('held_out')
  expect(shopState(sale, 'sold_out', 2000)).toBe('sold_out')
  expect(shopState(sale, 'available', 2000)).toBe('open')
  expect(shopState(sale, undefined, 2000)).toBe('open')
  expect(shopState({ ...sale, state: 'paused' }, 'held_out', 2000)).toBe('paused')
  expect(shopState(sale, 'sold_out', 5000)).toBe('ended')
})
