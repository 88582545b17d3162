import { expect, test } from 'bun:test'
import { Overloaded } from './errors.ts'
import { createPasswords, hashOfNothing } from './passwords.ts'

const passwords = createPasswords()
/** Algorithm, version and cost of a hash. */
const costOf = (hash: string) => hash.split('$').slice(0, 4).join('$')
const lengthsOf = (hash: string) => hash.split('$').map(({ length }) => length)

test('a password fits its own hash alone, and no two hashes are alike', async () => {
  const [one, two] = [await passwords.hash('correct horse'), await passwords.hash('correct horse')]
  expect(one).not.toBe(two)
  expect(await passwords.verify('correct horse', one)).toBe(true)
  expect(await passwords.verify('correct horse ', one)).toBe(false)
  expect(await passwords.verify('', one)).toBe(false)
})

test('however the keyboard composes a letter', async () => {
  const hash = await passwords.hash('schöne Grüße'.normalize('NFD'))
  expect(await passwords.verify('schöne Grüße'.normalize('NFC'), hash)).toBe(true)
})

test('nobody has a hash as costly as everybody else', async () => {
  const real = await passwords.hash('correct horse')
  expect(costOf(real)).toBe('$argon2id$v=19$m=65536,t=3,p=1')
  expect(costOf(hashOfNothing())).toBe(costOf(real))
  expect(lengthsOf(hashOfNothing())).toEqual(lengthsOf(real))
  expect(await passwords.verify('correct horse', undefined)).toBe(false)
})

test('a crowd is refused before it takes the machine', async () => {
  const few = createPasswords(2)
  const all = Array.from({ length: 10 }, () => few.verify('a guess', undefined))
  const outcomes = await Promise.allSettled(all)
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
  expect(refused).toHaveLength(10 - 2 - 2)
  for (const { reason } of refused) expect(reason).toBeInstanceOf(Overloaded)
})
