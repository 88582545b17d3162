/** A buyer: the UUID of the guest session, or the `sub` of the shop's identity provider. */
export type UserId = string
/** One purchasable thing with one stock, e.g. `doorbuster-tv`. The hash tag of its Redis keys. */
export type ItemId = string
/** One sale: a waiting room and the items behind it. */
export type SaleId = string
/** UUIDv7. Also the claim id, the key at the payment provider and the dedupe key in SQL. */
export type OrderId = string

/** What an operator may choose as an item or sale id: safe in a URL, a Redis key and a log line. */
export const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/
