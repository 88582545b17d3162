/** A self-signed X.509 certificate (RFC 5280, version 3), so that webhooks can be signed as PayPal signs them. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

export interface SigningKey {
  readonly privateKey: KeyObject
  readonly certificatePem: string
}

/** A new key, certified by itself for `name` from a day ago until in ten years. `now` in ms. */
export function createSigningKey(name: string, now: number): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const years = 10 * 365 * 86_400_000
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    sha256WithRsa,
    distinguishedName(name),
    sequence(utcTime(now - 86_400_000), utcTime(now + years)),
    distinguishedName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
  )
  const certificate = sequence(body, sha256WithRsa, bitString(sign('sha256', body, privateKey)))
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return {
    privateKey,
    certificatePem: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
  }
}

/** One DER element: tag, length, content. */
function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...parts: readonly Buffer[]) => tagged(0x30, ...parts)
const integer = (bytes: Buffer) => tagged(0x02, bytes)
const bitString = (bytes: Buffer) => tagged(0x03, Buffer.from([0]), bytes)
const sha256WithRsa = sequence(tagged(0x06, Buffer.from('2a864886f70d01010b', 'hex')), tagged(0x05))
const distinguishedName = (name: string) =>
  sequence(tagged(0x31, sequence(tagged(0x06, Buffer.from([0x55, 4, 3])), tagged(0x0c, Buffer.from(name)))))

/** `YYMMDDhhmmssZ`, as the RFC wants it for years before 2050. */
function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14)
  return tagged(0x17, Buffer.from(`${digits}Z`))
}
