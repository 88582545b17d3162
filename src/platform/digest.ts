/** SHA-256 of texts in one call: on the hot path making and winding up node's hash objects costs more than hashing. */

/** 32 bytes. */
export const sha256 = (text: string): Buffer => Buffer.from(Bun.SHA256.hash(text).buffer)

/** 43 characters of base64url. */
export const sha256Text = (text: string): string => Bun.SHA256.hash(text, 'base64url')

/** HMAC-SHA256, 43 characters of base64url. */
export const hmacText = (secret: Buffer, text: string): string =>
  new Bun.CryptoHasher('sha256', secret).update(text).digest('base64url')
