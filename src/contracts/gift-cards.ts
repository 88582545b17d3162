/** How a gift card's code is spelled: 80 random bits in 16 letters and digits that nobody confuses (Crockford's base 32). */
export const GIFT_CODE = /^[0-9A-HJKMNP-TV-Z]{16}$/
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** `bytes`: 16 random ones. */
export const giftCodeOf = (bytes: Uint8Array): string =>
  [...bytes.subarray(0, 16)].map((byte) => ALPHABET[byte % 32]).join('')

/** In groups of four, as people read it. */
export const showGiftCode = (code: string): string => code.replace(/(.{4})(?=.)/g, '$1-')

/** What somebody typed, as it is stored: any case, with or without hyphens, O for 0, and I or L for 1. */
export const readGiftCode = (typed: string): string =>
  typed.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')

/** Providers take no smaller payment (Stripe: 50 cents), so a card leaves nothing to pay or at least this. Minor units. */
export const LEAST_CHARGE = 50

/** How much of a card with `balance` goes towards an order of which `left` is still to be paid. Minor units. */
export function portionOf(balance: number, left: number): number {
  if (balance >= left) return left
  return Math.max(0, left - balance < LEAST_CHARGE ? left - LEAST_CHARGE : balance)
}
