import { expect, test } from 'bun:test'
import { chooseLanguage } from './language.ts'

const wishes = { edge: undefined, query: undefined, cookie: undefined, acceptLanguage: undefined }

test('the most wanted of our languages, whatever its region', () => {
  const choose = (acceptLanguage: string) => chooseLanguage({ ...wishes, acceptLanguage })
  expect(choose('de-AT,de;q=0.9,en;q=0.8')).toBe('de')
  expect(choose('pt-BR, en;q=0.5, fr;q=0.7')).toBe('fr')
  expect(choose('ja;q=0, es')).toBe('es')
  expect(choose('AR-eg')).toBe('ar')
  expect(choose('pt')).toBe('en')
  expect(choose('*')).toBe('en')
  expect(choose('')).toBe('en')
  expect(choose(';;q=,,q=x')).toBe('en')
  expect(chooseLanguage(wishes)).toBe('en')
})

test('what was chosen on a page goes before it, the latest choice first, and an edge has decided already', () => {
  const all = { edge: 'ja', query: 'de', cookie: 'fr', acceptLanguage: 'es' }
  expect(chooseLanguage(all)).toBe('ja')
  expect(chooseLanguage({ ...all, edge: undefined })).toBe('de')
  expect(chooseLanguage({ ...all, edge: 'xx', query: '../en' })).toBe('fr')
  expect(chooseLanguage({ ...all, edge: undefined, query: undefined, cookie: 'pt' })).toBe('es')
})
