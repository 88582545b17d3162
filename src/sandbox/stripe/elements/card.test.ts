import { expect, test } from 'bun:test'
import { groupDigits, readCard } from './card.ts'

const now = new Date(2027, 5, 15)
const good = { number: '4242 4242 4242 4242', expiry: '12/34', cvc: '123' }

test('a card as people type it', () => {
  const card = { number: '4242424242424242', exp_month: '12', exp_year: '2034', cvc: '123' }
  expect(readCard(good, now)).toEqual({ kind: 'card', card })
  expect(
    readCard({ ...good, number: '4242-4242-4242-4242', expiry: ' 12 / 2034 ', cvc: ' 123 ' }, now),
  ).toEqual({
    kind: 'card',
    card,
  })
  expect(readCard({ ...good, expiry: '1234' }, now)).toEqual({ kind: 'card', card })
})

test('what is wrong is named by field', () => {
  expect(readCard({ ...good, number: '4242 4242 4242 4241' }, now)).toMatchObject({ field: 'number' })
  expect(readCard({ ...good, number: '' }, now)).toMatchObject({ field: 'number' })
  for (const expiry of ['', '13/34', '00/34', '12/3', 'never'])
    expect(readCard({ ...good, expiry }, now)).toMatchObject({ field: 'expiry' })
  for (const cvc of ['', '12', '12345', 'abc'])
    expect(readCard({ ...good, cvc }, now)).toMatchObject({ field: 'cvc' })
})

test('a card is good until its month is over', () => {
  expect(readCard({ ...good, expiry: '06/27' }, now).kind).toBe('card')
  expect(readCard({ ...good, expiry: '05/27' }, now)).toMatchObject({ what: 'expired' })
})

test('digits are grouped as on the card', () => {
  expect(groupDigits('4242424242424242')).toBe('4242 4242 4242 4242')
  expect(groupDigits('42424')).toBe('4242 4')
  expect(groupDigits('378282246310005')).toBe('3782 822463 10005')
  expect(groupDigits('')).toBe('')
})
