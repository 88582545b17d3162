import type { ProofPayload } from '../contracts/guard.ts'
import { SLUG } from '../contracts/ids.ts'

/**
 * Reads a solved challenge as a stranger sent it: exactly the fields that we write, of exactly the form that we write
 * them in. By hand, since a schema library takes longer than the whole check. Undefined where it is anything else.
 */
export function readPayload(payload: unknown): ProofPayload | undefined {
  const object = typeof payload === 'string' ? decode(payload) : payload
  if (!hasExactly(object, PAYLOAD)) return undefined
  const { challenge, solution } = object
  if (!hasExactly(challenge, CHALLENGE) || !isHex(challenge['signature'], 64)) return undefined
  const { parameters } = challenge
  if (!hasExactly(parameters, PARAMETERS)) return undefined
  const { algorithm, cost, data, expiresAt, keyLength, keyPrefix, nonce, salt } = parameters
  if (algorithm !== 'SHA-256' || cost !== 1 || keyLength !== 32) return undefined
  if (!isHex(keyPrefix, 32) || !isHex(nonce, 32) || !isHex(salt, 32) || !isCount(expiresAt)) return undefined
  if (!hasExactly(data, DATA)) return undefined
  const { device, hashes, issued_at, sale } = data
  if (typeof device !== 'string' || !/^[\w-]{22}$/.test(device)) return undefined
  if (typeof sale !== 'string' || !SLUG.test(sale) || !isCount(hashes) || !isCount(issued_at))
    return undefined
  if (!isObject(solution) || !Object.keys(solution).every((name) => SOLUTION.has(name))) return undefined
  const { counter, derivedKey, time } = solution
  if (!isCount(counter) || counter > 0xffffffff || !isHex(derivedKey, 64)) return undefined
  if (time !== undefined && typeof time !== 'number') return undefined
  return object as unknown as ProofPayload
}

const PAYLOAD = new Set(['challenge', 'solution'])
const CHALLENGE = new Set(['parameters', 'signature'])
const PARAMETERS = new Set([
  ...['algorithm', 'cost', 'data', 'expiresAt', 'keyLength', 'keyPrefix', 'nonce', 'salt'],
])
const DATA = new Set(['device', 'hashes', 'issued_at', 'sale'])
const SOLUTION = new Set(['counter', 'derivedKey', 'time'])
/** A payload of ours has some 700 characters. */
const MAX_CHARACTERS = 4096

function decode(text: string): unknown {
  if (text.length > MAX_CHARACTERS) return undefined
  try {
    return JSON.parse(Buffer.from(text, 'base64').toString())
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function hasExactly(value: unknown, names: ReadonlySet<string>): value is Record<string, unknown> {
  if (!isObject(value)) return false
  const found = Object.keys(value)
  return found.length === names.size && found.every((name) => names.has(name))
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const isHex = (value: unknown, digits: number): value is string =>
  typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/.test(value)
