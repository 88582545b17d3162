import { describe, expect, test } from 'bun:test'
import { createHmac, randomBytes } from 'node:crypto'
import { decodeProtectedHeader, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { createTokens, type RegisteredClaims } from './tokens.ts'

const key = (kid: string) => ({ kid, secret: randomBytes(32) })
const [old, current, stranger] = [key('2025'), key('2026'), key('2026')]
const tokens = createTokens([current, old])

const NOW_S = 1_800_000_000
const claims = { aud: 'sale-1', iat: NOW_S, exp: NOW_S + 600, pos: 7, dev: 'x' }
const at = { currentDate: new Date(NOW_S * 1000) }
const verify = (token: string, nowS = NOW_S) => tokens.verify<{ pos: number }>('ticket', token, nowS)

/** A token with any header and any payload text, its signature right for them. */
function forge(header: unknown, payload: string, secret = current.secret): string {
  const encode = (text: string) => Buffer.from(text).toString('base64url')
  const input = `${encode(JSON.stringify(header))}.${encode(payload)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}
const HEADER = { alg: 'HS256', typ: 'ticket', kid: '2026' }

describe('agrees with jose', () => {
  test('jose reads what we sign', async () => {
    const token = tokens.sign('ticket', claims)
    const { payload, protectedHeader } = await jwtVerify(token, current.secret, { ...at, audience: 'sale-1' })
    expect(payload).toEqual(claims)
    expect(protectedHeader).toEqual(HEADER)
  })

  test('we read what jose signs', async () => {
    const token = await new SignJWT(claims).setProtectedHeader(HEADER).sign(current.secret)
    expect(verify(token)).toEqual({ kind: 'valid', claims })
  })

  test('both refuse the same altered tokens: every byte counts', async () => {
    const token = tokens.sign('ticket', claims)
    for (let index = 0; index < token.length; index += 1) {
      // The last has the same low byte.
      const twin = String.fromCharCode(token.charCodeAt(index) + 256)
      for (const other of ['A', 'B', '.', '=', '-', twin].filter((one) => one !== token[index])) {
        const altered = token.slice(0, index) + other + token.slice(index + 1)
        expect(verify(altered)).toEqual({ kind: 'invalid' })
      }
    }
    const altered = token.slice(0, -3) + (token.at(-3) === 'A' ? 'B' : 'A') + token.slice(-2)
    expect(await jwtVerify(altered, current.secret, at).catch((error: Error) => error.name)).toBe(
      'JWSSignatureVerificationFailed',
    )
  })
})

describe('keys', () => {
  test('the first key signs, every key verifies, so keys rotate while tokens live', () => {
    const before = createTokens([old]).sign('ticket', claims)
    expect(verify(before).kind).toBe('valid')
    expect(decodeProtectedHeader(tokens.sign('ticket', claims)).kid).toBe('2026')
    expect(createTokens([current]).verify('ticket', before, NOW_S)).toEqual({ kind: 'invalid' })
  })

  test('another key of the same name, an unknown kid and no kid are refused', () => {
    expect(verify(createTokens([stranger]).sign('ticket', claims)).kind).toBe('invalid')
    expect(verify(createTokens([key('2027')]).sign('ticket', claims)).kind).toBe('invalid')
    expect(verify(forge({ alg: 'HS256', typ: 'ticket' }, JSON.stringify(claims))).kind).toBe('invalid')
    // The kid of one key with the signature of the other.
    expect(verify(forge({ ...HEADER, kid: '2025' }, JSON.stringify(claims))).kind).toBe('invalid')
  })

  test('no key, or two of one name, is a mistake of the caller', () => {
    expect(() => createTokens([])).toThrow('no signing key')
    expect(() => createTokens([current, stranger])).toThrow('two signing keys are named 2026')
  })
})

describe('headers', () => {
  test('alg none, RS256 and any other spelling of the header are refused', async () => {
    const body = JSON.stringify(claims)
    for (const header of [
      { ...HEADER, alg: 'none' },
      { ...HEADER, alg: 'RS256' },
      { ...HEADER, alg: 'HS512' },
      { ...HEADER, typ: 'JWT' },
      { typ: 'ticket', alg: 'HS256', kid: '2026' },
      { ...HEADER, crit: ['exp'] },
      { ...HEADER, jwk: { kty: 'oct', k: 'AAAA' } },
    ])
      expect(verify(forge(header, body)).kind).toBe('invalid')
    const unsigned = forge({ ...HEADER, alg: 'none' }, body).replace(/[^.]+$/, '')
    expect(verify(unsigned).kind).toBe('invalid')
    const { privateKey } = await generateKeyPair('RS256')
    const rsa = await new SignJWT(claims).setProtectedHeader({ ...HEADER, alg: 'RS256' }).sign(privateKey)
    expect(verify(rsa).kind).toBe('invalid')
  })

  test('a token of one type is none of another', () => {
    const types = ['ticket', 'pass', 'session', 'receipt'] as const
    for (const signed of types)
      for (const read of types)
        expect(tokens.verify(read, tokens.sign(signed, claims), NOW_S).kind).toBe(
          signed === read ? 'valid' : 'invalid',
        )
  })
})

describe('times', () => {
  test('expired from the second of `exp` on, and its claims are still told', () => {
    const token = tokens.sign('ticket', claims)
    expect(verify(token, claims.exp - 1).kind).toBe('valid')
    expect(verify(token, claims.exp)).toEqual({ kind: 'expired', claims })
  })

  test('`iat` may lie a minute ahead, no more', () => {
    const token = tokens.sign('ticket', claims)
    expect(verify(token, NOW_S - 60).kind).toBe('valid')
    expect(verify(token, NOW_S - 61).kind).toBe('invalid')
  })
})

describe('what is no token of ours', () => {
  test('a well-signed payload that is not what we write is invalid, never an exception', () => {
    const without = (name: keyof RegisteredClaims) => JSON.stringify({ ...claims, [name]: undefined })
    for (const payload of [
      ...['', '{', 'null', '1', '"x"', '[]', 'true', '{}', '\u0000', '{"aud":'],
      ...[without('iat'), without('exp'), without('aud')],
      ...[JSON.stringify({ ...claims, exp: '9e9' }), JSON.stringify({ ...claims, iat: null })],
      JSON.stringify({ ...claims, aud: ['sale-1'] }),
      `{"aud":"sale-1","iat":${NOW_S},"exp":1e999}`,
    ])
      expect({ payload, ...verify(forge(HEADER, payload)) }).toEqual({ payload, kind: 'invalid' })
    expect(verify(forge(HEADER, JSON.stringify(claims))).kind).toBe('valid')
  })

  test('other spellings of the same signature bytes are refused', () => {
    const token = tokens.sign('ticket', claims)
    const [input, signature = ''] = [token.slice(0, -43), token.slice(-43)]
    const bytes = Buffer.from(signature, 'base64url')
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const twins = [...alphabet]
      .map((last) => signature.slice(0, -1) + last)
      .filter((text) => text !== signature && Buffer.from(text, 'base64url').equals(bytes))
    expect(twins.length).toBe(3)
    const base64 = bytes.toString('base64')
    for (const twin of [
      ...twins,
      `${signature}=`,
      base64,
      ` ${signature}`,
      `${signature}\n`,
      signature + 'A',
    ])
      expect(verify(input + twin).kind).toBe('invalid')
  })

  test('text that is too short, too long or in the wrong number of parts is refused', () => {
    const token = tokens.sign('ticket', claims)
    for (const text of [
      '',
      '.',
      '..',
      '...',
      'ticket',
      token.slice(0, -1),
      `${token}.`,
      `.${token}`,
      '\ud800.\ud800.x',
    ])
      expect(verify(text).kind).toBe('invalid')
    const long = tokens.sign('ticket', { ...claims, filler: 'x'.repeat(2048) })
    expect(verify(long).kind).toBe('invalid')
  })
})
