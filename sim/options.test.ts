import { describe, expect, test } from 'bun:test'
import { readRushOptions, RUSH_FLAGS } from './options.ts'

test('without flags: five thousand buyers for a hundred units', () => {
  expect(readRushOptions({}, '/data')).toMatchObject({
    ...{ buyers: 5000, units: 100, pay: 0.8, sale: undefined, rate: 1000, json: false, dataDir: '/data' },
    ...{ payWindow: 3, hold: 6 },
  })
})

test('more units that are paid for at once get a longer window', () => {
  expect(readRushOptions({ units: '1000' }, '.')).toMatchObject({ payWindow: 12, hold: 24 })
  expect(readRushOptions({ units: '1' }, '.')).toMatchObject({ payWindow: 3, hold: 6 })
})

test('every flag is read', () => {
  const values = {
    ...{
      buyers: '7',
      units: '3',
      pay: '0.5',
      rate: '9',
      spread: '1.5',
      payWindow: '4',
      hold: '5',
      seed: '11',
    },
    ...{ connections: '8', timeout: '60', json: true, bots: '0.9' },
  }
  expect(readRushOptions(values, '.data')).toEqual({
    ...{ buyers: 7, units: 3, pay: 0.5, rate: 9, spread: 1.5, payWindow: 4, hold: 5, seed: 11 },
    ...{ connections: 8, timeout: 60, json: true, bots: 0.9, sale: undefined, dataDir: '.data' },
  })
  const names = RUSH_FLAGS.map(({ flags }) => /^--([a-z-]+)/.exec(flags)?.[1] ?? '')
  const camel = names.map((name) => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()))
  expect(new Set(camel)).toEqual(new Set([...Object.keys(values), 'sale']))
})

describe('refused in one line', () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ buyers: '0' }, /^--buyers: expected a whole number from 1/],
    [{ buyers: 'many' }, /^--buyers/],
    [{ buyers: '1.5' }, /^--buyers/],
    [{ pay: '1.1' }, /^--pay: expected a number from 0 to 1/],
    [{ bots: '1' }, /^--bots: expected a number from 0 to 0.99/],
    [{ sale: 'summer', bots: '0.5' }, /^--bots is for a sale of its own/],
    [{ payWindow: '0' }, /^--pay-window/],
    [{ hold: '1', payWindow: '2' }, /^--hold: a hold can not be shorter/],
    [{ sale: 'No Sale!' }, /^--sale/],
    [{ sale: 'summer', units: '5' }, /^--units is for a sale of its own/],
    [{ patienceS: '5' }, /^--patience-s is for --simulate/],
    [{ sale: 'summer', payWindow: '5' }, /^--pay-window is for a sale of its own/],
  ]
  for (const [values, message] of cases)
    test(JSON.stringify(values), () => {
      expect(() => readRushOptions(values, '.data')).toThrow(message)
    })
})
