import type { DomainEvent } from '../../contracts/events.ts'
import { SLUG } from '../../contracts/ids.ts'
import { readOwner } from '../../contracts/parts.ts'
import type { Delivery } from './delivery.ts'

/**
 * One entry of an outbox stream, as Redis gives it: field, value, field, value, ... An event is one field, `event`, with
 * its JSON: each argument of XADD costs as much as the rest. The earlier form, a field for each of its own, is read too.
 */
export interface OutboxEntry {
  /** Whose outbox it is: an item's, or that of a further part of one whose stock is split (`readOwner`). */
  readonly owner: string
  readonly outbox_id: string
  readonly fields: readonly string[]
}

/** Set of the owners of all outboxes there ever were; written by flow/inventory. */
export const ITEMS_KEY = 'items'
/** The outbox stream of an owner; written by the scripts of flow/inventory. */
export const outboxKey = (owner: string) => `item:{${owner}}:outbox`

const CURRENCY = /^[A-Z]{3}$/
const INTEGER = /^(?:0|[1-9]\d{0,15})$/

/**
 * The event in an entry's fields, undefined where they are none: a field missing or twice, a number that is
 * no safe integer, an unknown type or version. Fields it does not know are left out: they are only ever added.
 */
export function parseEntry(fields: readonly string[]): DomainEvent | undefined {
  const record = toRecord(fields)
  const text = record?.['event']
  return parseEvent(text === undefined ? record : parseJson(text))
}

/** The event in what was read from JSON, or from the fields of an entry; undefined where it is none. */
export function parseEvent(found: unknown): DomainEvent | undefined {
  if (typeof found !== 'object' || found === null) return undefined
  const values = found as Readonly<Record<string, unknown>>
  if (integer(values['version'], 1) !== 1) return undefined
  const [order_id, user_id] = [word(values['order_id']), word(values['user_id'])]
  const [item_id, sale_id] = [word(values['item_id']), word(values['sale_id'])]
  const quantity = integer(values['quantity'], 1)
  const timestamp = integer(values['timestamp'], 0)
  if (!order_id || !user_id || !item_id || !sale_id || !SLUG.test(item_id)) return undefined
  if (quantity === undefined || timestamp === undefined) return undefined
  const base = { version: 1, order_id, user_id, item_id, sale_id, quantity, timestamp } as const
  if (values['type'] === 'Restocked') return { type: 'Restocked', ...base }
  if (values['type'] !== 'OrderCreated') return undefined

  const currency = word(values['currency'])
  const amount = integer(values['amount'], 0)
  const claim_seq = integer(values['claim_seq'], 1)
  const pay_by = integer(values['pay_by'], 0)
  const hold_expires_at = integer(values['hold_expires_at'], 0)
  if (currency === undefined || !CURRENCY.test(currency)) return undefined
  if (amount === undefined || claim_seq === undefined) return undefined
  if (pay_by === undefined || hold_expires_at === undefined) return undefined
  return { type: 'OrderCreated', ...base, amount, currency, claim_seq, pay_by, hold_expires_at }
}

/** The delivery in an entry; undefined where the fields are no event, or one of another item. */
export function parseDelivery(entry: OutboxEntry): Delivery | undefined {
  const event = parseEntry(entry.fields)
  const { item_id, ...part } = readOwner(entry.owner)
  if (event === undefined || event.item_id !== item_id) return undefined
  return { outbox_id: entry.outbox_id, ...part, event }
}

/** Fields by name; undefined where a name is missing its value or comes twice. */
export function toRecord(fields: readonly string[]): Record<string, string> | undefined {
  const record: Record<string, string> = {}
  for (let index = 0; index < fields.length; index += 2) {
    const [name, value] = [fields[index], fields[index + 1]]
    if (name === undefined || value === undefined || Object.hasOwn(record, name)) return undefined
    record[name] = value
  }
  return record
}

/** An event's fields as the outbox holds them. */
export const toFields = (event: DomainEvent): string[] => ['event', JSON.stringify(event)]

/** What was read from JSON; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const word = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

function integer(found: unknown, least: number): number | undefined {
  const value = typeof found === 'string' && INTEGER.test(found) ? Number(found) : found
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least ? value : undefined
}
