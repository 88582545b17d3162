import { randomBytes } from 'node:crypto'
import { createBulkhead } from './breaker.ts'

/** Passwords are kept as argon2id (RFC 9106) PHC strings. */
export interface Passwords {
  hash(password: string): Promise<string>
  /** No password fits `undefined`, and finding that out takes as long: time tells nobody which names there are. */
  verify(password: string, hash: string | undefined): Promise<boolean>
}

/** RFC 9106's second choice but for its lanes, of which Bun has one: 64 MiB, three passes; about 120 ms. */
const COST = { algorithm: 'argon2id', memoryCost: 65_536, timeCost: 3 } as const
/** Each takes a core and 64 MiB: a crowd at the sign-in must not take them all from the sale. */
const AT_ONCE = 2
const WAITING = 32

/** One that nobody chose: 120 bits, 20 characters that need no key held down but shift. */
export const newPassword = (): string => randomBytes(15).toString('base64url')

/** Throws Overloaded where more than `waiting` wait. */
export function createPasswords(waiting = WAITING): Passwords {
  const inTurn = createBulkhead('password checks', AT_ONCE, waiting)
  const fitsNone = hashOfNothing()
  // However a keyboard composes é, it is the same password.
  const normal = (password: string) => password.normalize('NFKC')
  return {
    hash: (password) => inTurn(() => Bun.password.hash(normal(password), COST)),
    verify: (password, hash = fitsNone) => inTurn(() => Bun.password.verify(normal(password), hash)),
  }
}

/** Looks like any other hash, but was made from no password. */
export function hashOfNothing(): string {
  const random = () => randomBytes(32).toString('base64').replace('=', '')
  return `$argon2id$v=19$m=${COST.memoryCost},t=${COST.timeCost},p=1$${random()}$${random()}`
}
