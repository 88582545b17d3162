import type { Challenge, Solution } from '../../src/contracts/guard.ts'

/**
 * Solves a proof of work: looks for the counter whose SHA-256 begins with the challenge's prefix. SHA-256 is spelled
 * out here because salt, nonce and counter fill one block of which only a word changes: this does some millions a
 * second, while WebCrypto, with a promise for each hash, does a tenth of that.
 */
export interface SolveOptions {
  /** First counter to try, and how far apart the tries are: several workers share the search so. */
  readonly start?: number
  readonly step?: number
}

/** What it needs of a challenge. Anything but `SHA-256` with cost 1, salt and nonce of 16 bytes is a RangeError. */
export interface Solvable {
  readonly parameters: Pick<Challenge['parameters'], 'nonce' | 'salt' | 'keyPrefix'> & {
    readonly algorithm: string
    readonly cost: number
    readonly keyLength?: number
  }
}

/** `time` in ms. */
export type Found = Pick<Solution, 'counter' | 'derivedKey'> & { readonly time: number }

const LAST_COUNTER = 0xffffffff

/** Blocks until it is found; undefined where no counter of this share leads there. */
export function solve(
  { parameters }: Solvable,
  { start = 0, step = 1 }: SolveOptions = {},
): Found | undefined {
  const { algorithm, cost, salt, nonce, keyPrefix, keyLength = 32 } = parameters
  if (algorithm !== 'SHA-256' || cost !== 1 || keyLength !== 32 || !/^[0-9a-f]{64}$/i.test(salt + nonce))
    throw new RangeError('this challenge is of another kind')
  if (!/^[0-9a-f]{1,64}$/i.test(keyPrefix)) throw new RangeError('the prefix can not be read')
  const began = performance.now()
  const message = new Int32Array(16)
  words(salt + nonce).forEach((word, index) => (message[index] = word))
  // After 36 bytes: the bit that ends the message, and its length in bits.
  message[9] = 0x80000000
  message[15] = 36 * 8

  const prefix = keyPrefix.toLowerCase()
  const digits = Math.min(prefix.length, 8)
  const mask = digits === 8 ? -1 : ~(-1 >>> (4 * digits))
  const wanted = Number.parseInt(prefix.slice(0, 8).padEnd(8, '0'), 16) | 0
  const hash = createBlockHash(message)
  for (let counter = start; counter <= LAST_COUNTER; counter += step) {
    if ((hash.firstWord(counter) & mask) !== wanted) continue
    const derivedKey = hash.hex()
    if (derivedKey.startsWith(prefix))
      return { counter, derivedKey, time: Math.round(performance.now() - began) }
  }
  return undefined
}

const words = (hex: string): number[] =>
  Array.from(
    { length: hex.length / 8 },
    (_, word) => Number.parseInt(hex.slice(8 * word, 8 * word + 8), 16) | 0,
  )

/** The bits after the point of the cube and square roots of the first primes: the constants of SHA-256. */
function fractions(count: number, root: (prime: number) => number): Int32Array {
  const primes: number[] = []
  for (let candidate = 2; primes.length < count; candidate++)
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate)
  return Int32Array.from(primes, (prime) => (root(prime) % 1) * 2 ** 32)
}
const K = fractions(64, Math.cbrt)
const H = fractions(8, Math.sqrt)

/** SHA-256 of one block, of which word 8 is given with each call. */
function createBlockHash(message: Int32Array) {
  const w = new Int32Array(64)
  const state = new Int32Array(8)
  w.set(message)
  // The first 8 rounds do not see the counter: they are done once.
  const early = Int32Array.from(H)
  rounds(w, early, 0, 8)
  return {
    firstWord: (counter: number): number => {
      w[8] = counter | 0
      schedule(w)
      state.set(early)
      rounds(w, state, 8, 64)
      return ((state[0] ?? 0) + (H[0] ?? 0)) | 0
    },
    /** Of the last call. */
    hex: (): string =>
      Array.from(state, (word, index) => ((word + (H[index] ?? 0)) >>> 0).toString(16).padStart(8, '0')).join(
        '',
      ),
  }
}

function schedule(w: Int32Array): void {
  for (let t = 16; t < 64; t++) {
    const x = w[t - 15] as number
    const y = w[t - 2] as number
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)
    w[t] = ((w[t - 16] as number) + s0 + (w[t - 7] as number) + s1) | 0
  }
}

function rounds(w: Int32Array, state: Int32Array, from: number, to: number): void {
  let a = state[0] as number
  let b = state[1] as number
  let c = state[2] as number
  let d = state[3] as number
  let e = state[4] as number
  let f = state[5] as number
  let g = state[6] as number
  let h = state[7] as number
  for (let t = from; t < to; t++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (K[t] as number) + (w[t] as number)) | 0
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  state[0] = a
  state[1] = b
  state[2] = c
  state[3] = d
  state[4] = e
  state[5] = f
  state[6] = g
  state[7] = h
}
