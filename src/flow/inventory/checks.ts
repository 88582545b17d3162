import { SLUG } from '../../contracts/ids.ts'
import type { ClaimRequest, ItemChange, LoadItem, RebuildItem } from './types.ts'

const STATES: readonly string[] = ['open', 'paused', 'ended']
/** A hold of more than a year is a mistake in units. */
const LONGEST_MS = 366 * 24 * 3_600_000
/** Entries are separated by spaces and colons, so an order id holds neither. */
const ORDER_ID = /^[\w-]{1,64}$/

/** Throws RangeError, naming the field, before a malformed request could reach the batch of others. */
export function checkClaim(request: ClaimRequest): void {
  order(request)
  natural('quantity', request.quantity, 1)
  natural('limit', request.limit, 0)
  natural('amount', request.amount, 0)
  if (!/^[A-Z]{3}$/.test(request.currency)) refuse('currency', request.currency)
  natural('hold_ms', request.hold_ms, 0, LONGEST_MS)
  natural('pay_ms', request.pay_ms, 0, LONGEST_MS)
}

/** Throws RangeError. */
export const checkUnits = (units: number): void => natural('units', units, 0)

/** Throws RangeError, naming the field. */
export function checkItem(item: LoadItem): void {
  if (!SLUG.test(item.item_id)) refuse('item_id', item.item_id)
  natural('total', item.total, 0)
  checkChange(item)
}

/** Throws RangeError, naming the field. */
export function checkChange(change: ItemChange): void {
  const { state, opens_at = 0, ends_at = null } = change
  if (state !== undefined && !STATES.includes(state)) refuse('state', state)
  natural('opens_at', opens_at, 0)
  if (ends_at !== null) natural('ends_at', ends_at, 0)
}

/** Throws RangeError, naming the field. */
export function checkRebuild(item: RebuildItem): void {
  checkItem(item)
  natural('sold', item.sold, 0)
  natural('seq', item.seq, 0)
  natural('epoch', item.epoch, 0)
  for (const hold of item.holds) {
    order(hold)
    natural('quantity', hold.quantity, 1)
    natural('deadline', hold.deadline, 0)
    natural('claim_seq', hold.claim_seq, 1, item.seq)
    natural('created_at', hold.created_at, 0)
    natural('pay_by', hold.pay_by, 0)
  }
  for (const one of item.orders) {
    order(one)
    natural('quantity', one.quantity, 0)
  }
}

function order({ order_id, user_id }: { order_id: string; user_id: string }): void {
  if (!ORDER_ID.test(order_id)) refuse('order_id', order_id)
  // A lone surrogate has no UTF-8: two such ids would become one buyer.
  if (user_id === '' || !user_id.isWellFormed()) refuse('user_id', user_id)
}

function natural(field: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) refuse(field, value)
}

function refuse(field: string, value: string | number): never {
  throw new RangeError(`${field} is not valid: ${JSON.stringify(value)}`)
}
