import { Secret, TOTP } from 'otpauth'

// Time-based one-time passwords (RFC 6238) as every authenticator app makes them: SHA-1, six digits, 30 seconds.

const PERIOD_S = 30
/** Steps before and after now whose codes count too: clocks differ, and people type slowly. */
const WINDOW = 1

const totpOf = (secret: string, label = '') =>
  new TOTP({ issuer: 'Doorbuster', label, secret, algorithm: 'SHA1', digits: 6, period: PERIOD_S })

/** Base32, 160 bits. */
export const newTotpSecret = (): string => new Secret({ size: 20 }).base32

/** What an authenticator app reads from a QR code. */
export const totpUri = (name: string, secret: string): string => totpOf(secret, name).toString()

/** The code of that time, as the app would show it. */
export const totpCode = (secret: string, nowMs: number): string =>
  totpOf(secret).generate({ timestamp: nowMs })

/** Number of the time step this code is of; undefined where it is of none around now. */
export function totpStep(secret: string, code: string, nowMs: number): number | undefined {
  const token = code.replace(' ', '')
  const delta = totpOf(secret).validate({ token, timestamp: nowMs, window: WINDOW })
  return delta === null ? undefined : Math.floor(nowMs / 1000 / PERIOD_S) + delta
}
