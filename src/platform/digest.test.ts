import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createHash, createHmac } from 'node:crypto'
import { hmacText, sha256, sha256Text } from './digest.ts'

test('the same as what node:crypto says, of any text and key', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      (text, bytes) => {
        const secret = Buffer.from(bytes)
        expect(Buffer.from(sha256(text))).toEqual(createHash('sha256').update(text).digest())
        expect(sha256Text(text)).toBe(createHash('sha256').update(text).digest('base64url'))
        expect(hmacText(secret, text)).toBe(createHmac('sha256', secret).update(text).digest('base64url'))
      },
    ),
  )
})
