import { createHash, createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { Challenge } from '../contracts/guard.ts'
import type { SaleId } from '../contracts/ids.ts'
import type { Clock } from '../platform/clock.ts'
import { readPayload } from './proof-format.ts'
import { type Nonces, SKEW_MS } from './single-use.ts'

/**
 * Proof of work in the ALTCHA format, version 2, in its deterministic mode: the server draws the counter that solves a
 * challenge, and gives the first half of the hash it leads to. Any difficulty is possible, not only powers of 16, and
 * no visitor has the bad luck of a search without end. All here is synchronous and takes some microseconds, while
 * `altcha-lib` (async WebCrypto) takes ten times that; it is what the tests compare with.
 */
export interface ProofOfWork {
  /** `hashes`: expected work, at most 10^9; the worst case is twice that. */
  create(request: {
    readonly sale: SaleId
    readonly device: string
    readonly hashes: number
    readonly lifetime_s: number
  }): Challenge
  /** Checks everything but that it was not used before. `payload`: the object, or as ALTCHA sends it, base64 of JSON. */
  check(request: { readonly sale: SaleId; readonly device: string; readonly payload: unknown }): ProofCheck
  /** The HMAC key as text, as `altcha-lib` takes it. */
  readonly keyText: string
}

/** What was proven. */
export interface Proof {
  readonly nonce: string
  /** Difficulty that the challenge was made with. */
  readonly hashes: number
  /** Hashes that a search from 0 takes to this solution. */
  readonly tried: number
  /** From the challenge to now, by our clocks, in ms. */
  readonly elapsed_ms: number
  /** ms since the epoch. */
  readonly expires_at: number
}

export type ProofCheck =
  | { readonly kind: 'valid'; readonly proof: Proof }
  | {
      readonly kind:
        'missing' | 'malformed' | 'expired' | 'bad_signature' | 'wrong_sale' | 'wrong_device' | 'not_solved'
    }

/** What the challenge says of a device: enough to compare, not enough to recognise it by. */
export function deviceHash(device: string): string {
  return createHash('sha256').update(`guard ${device}`).digest('base64url').slice(0, 22)
}

/** 16 bytes of the hash are shown: only the drawn counter leads there. */
const PREFIX_DIGITS = 32
const SALT_BYTES = 16

export function createProofOfWork(parts: {
  readonly secret: Buffer
  readonly clock: Clock
  readonly nonces: Nonces
}): ProofOfWork {
  const { secret, clock, nonces } = parts
  const keyText = createHmac('sha256', secret).update('guard proof of work').digest('hex')
  const key = Buffer.from(keyText)
  const sign = (parameters: Challenge['parameters']): string =>
    createHmac('sha256', key).update(canonical(parameters)).digest('hex')

  return {
    keyText,
    create: ({ sale, device, hashes, lifetime_s }) => {
      const now = clock.now()
      const nonce = nonces.next(sale)
      const salt = nonces.draw(SALT_BYTES).toString('hex')
      // 48 random bits for a counter below 2^31: the bias is below anything that could help.
      const counter = nonces.draw(6).readUIntBE(0, 6) % (2 * hashes)
      const parameters: Challenge['parameters'] = {
        algorithm: 'SHA-256',
        cost: 1,
        data: { device: deviceHash(device), hashes, issued_at: now, sale },
        expiresAt: Math.ceil(now / 1000) + lifetime_s,
        keyLength: 32,
        keyPrefix: derive(salt, nonce, counter).slice(0, PREFIX_DIGITS),
        nonce,
        salt,
      }
      return { parameters, signature: sign(parameters) }
    },

    check: ({ sale, device, payload }) => {
      if (payload === undefined || payload === null || payload === '') return { kind: 'missing' }
      const read = readPayload(payload)
      if (read === undefined) return { kind: 'malformed' }
      const { challenge, solution } = read
      const { parameters } = challenge
      // The signature first: what follows then reads only what we have written ourselves.
      if (!equal(challenge.signature, sign(parameters))) return { kind: 'bad_signature' }
      const now = clock.now()
      const { data, nonce, salt, keyPrefix } = parameters
      const expires_at = parameters.expiresAt * 1000
      if (expires_at < now || data.issued_at > now + SKEW_MS) return { kind: 'expired' }
      if (data.sale !== sale) return { kind: 'wrong_sale' }
      if (data.device !== deviceHash(device)) return { kind: 'wrong_device' }
      const derived = derive(salt, nonce, solution.counter)
      if (!equal(derived, solution.derivedKey) || !derived.startsWith(keyPrefix))
        return { kind: 'not_solved' }
      return {
        kind: 'valid',
        proof: {
          nonce,
          hashes: data.hashes,
          tried: solution.counter + 1,
          elapsed_ms: Math.max(0, now - data.issued_at),
          expires_at,
        },
      }
    },
  }
}

/** JSON with sorted keys and no undefined, as ALTCHA signs it. The keys stand here in that order. */
function canonical({
  algorithm,
  cost,
  data,
  expiresAt,
  keyLength,
  keyPrefix,
  nonce,
  salt,
}: Challenge['parameters']) {
  const { device, hashes, issued_at, sale } = data
  return JSON.stringify({
    algorithm,
    cost,
    data: { device, hashes, issued_at, sale },
    expiresAt,
    keyLength,
    keyPrefix,
    nonce,
    salt,
  })
}

const input = Buffer.alloc(36)

/** SHA-256 of salt, nonce and the counter as 4 bytes. Hex in and out. */
function derive(salt: string, nonce: string, counter: number): string {
  input.write(salt, 0, 16, 'hex')
  input.write(nonce, 16, 16, 'hex')
  input.writeUInt32BE(counter, 32)
  return hash('sha256', input, 'hex')
}

function equal(given: string, expected: string): boolean {
  return given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected))
}
