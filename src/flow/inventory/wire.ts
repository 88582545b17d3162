import type {
  ClaimOutcome,
  ClaimRequest,
  ClaimTimes,
  DueHold,
  Given,
  ItemState,
  PartState,
  RebuildItem,
  Stock,
} from './types.ts'

/** How claims, holds and the stock are spelled in Redis and in the scripts' arguments and replies. */

/** Three arguments a request, as claim.lua takes them: equal terms are equal strings, parsed once a batch. */
export const claimEntry = (request: ClaimRequest): string[] => [
  request.order_id,
  request.user_id,
  `${request.quantity} ${request.limit} ${request.amount} ${request.currency} ${request.hold_ms} ${request.pay_ms}${request.restored === true ? ' restored' : ''}`,
]

/** One answer of claim.lua: a word and its numbers. */
export function parseOutcome(answer: string): ClaimOutcome {
  const [kind = '', ...numbers] = answer.split(' ')
  switch (kind) {
    case 'reserved':
      return { kind, ...times(numbers) }
    case 'repeated': {
      const [quantity, ...hold] = numbers
      return { kind, quantity: Number(quantity), ...(hold.length > 0 ? { hold: times(hold) } : {}) }
    }
    case 'not_enough_left':
      return { kind, available: Number(numbers[0]) }
    case 'limit_reached':
    case 'sold_out':
    case 'held_out':
    case 'not_open':
    case 'paused':
    case 'ended':
    case 'foreign':
    case 'fenced':
    case 'unloaded':
      return { kind }
    default:
      throw new Error(`unexpected answer to a claim: ${answer}`)
  }
}

function times(numbers: readonly string[]): ClaimTimes {
  const [claim_seq, timestamp, pay_by, hold_expires_at] = numbers.map(Number)
  if (!claim_seq || !timestamp || !pay_by || !hold_expires_at)
    throw new Error(`unexpected times of a claim: ${numbers.join(' ')}`)
  return { claim_seq, timestamp, pay_by, hold_expires_at }
}

/** An entry of the claims hash; the user comes last because an id may hold any character, a space too. */
const formatClaim = (hold: DueHold): string =>
  `${hold.quantity} ${hold.claim_seq} ${hold.created_at} ${hold.pay_by} ${hold.user_id}`

export function parseClaim(order_id: string, deadline: string, claim: string): DueHold {
  const [, quantity, claim_seq, created_at, pay_by, user_id] =
    /^(\d+) (\d+) (\d+) (\d+) (.*)$/s.exec(claim) ?? []
  if (user_id === undefined) throw new Error(`claim of ${order_id} can not be read: ${claim}`)
  return {
    order_id,
    user_id,
    quantity: Number(quantity),
    deadline: Number(deadline),
    claim_seq: Number(claim_seq),
    created_at: Number(created_at),
    pay_by: Number(pay_by),
  }
}

/** The stock hash as numbers; undefined where a field is missing, as in a hash that is not there. */
export function parseStock(hash: Readonly<Record<string, string>>): Stock | undefined {
  const number = (field: string) => (hash[field] ? Number(hash[field]) : Number.NaN)
  const stock = {
    total: number('total'),
    available: number('available'),
    held: number('held'),
    sold: number('sold'),
    seq: number('seq'),
    epoch: number('epoch'),
    opens_at: number('opens_at'),
  }
  const { state, sale_id, run_id, ends_at } = hash
  if (Object.values(stock).some(Number.isNaN)) return undefined
  if (state === undefined || sale_id === undefined || run_id === undefined || ends_at === undefined)
    return undefined
  return {
    ...stock,
    state: state as ItemState,
    ends_at: ends_at === '' ? null : Number(ends_at),
    sale_id,
    run_id,
  }
}

/** One answer of give.lua. */
export function parseGiven(answer: string): Given {
  const [kind, number, units] = answer.split(' ')
  if (kind === 'given' || kind === 'pending') return { kind, number: Number(number), units: Number(units) }
  if (kind === 'nothing' || kind === 'fenced' || kind === 'unloaded') return { kind }
  throw new Error(`unexpected answer to a giving: ${answer}`)
}

/** The stock of a part with what it has given to the others and taken in from them. */
export function parsePart(hash: Readonly<Record<string, string>>): PartState {
  const given = new Map<number, { number: number; units: number }>()
  const taken = new Map<number | 'sql', number>()
  for (const [field, value] of Object.entries(hash)) {
    const [, direction, other = ''] = /^(in|out):(\d+|sql)$/.exec(field) ?? []
    const [number = 0, units = 0] = value.split(' ').map(Number)
    if (direction === 'out') given.set(Number(other), { number, units })
    if (direction === 'in') taken.set(other === 'sql' ? other : Number(other), number)
  }
  return { stock: parseStock(hash), given, taken }
}

/** A stock spelled as the hash holds it. */
const formatStock = (stock: Stock): Record<string, string> =>
  Object.fromEntries(Object.entries(stock).map(([field, value]) => [field, String(value ?? '')]))

/** The argument of rebuild.lua: one JSON text, since an item may have more entries than a call takes arguments. */
export function truth(item: RebuildItem): string {
  const buyers = new Map<string, Map<string, number>>()
  // Holds last: what is held now is more than what an older record says of the same order.
  for (const { order_id, user_id, quantity } of [...item.orders, ...item.holds]) {
    const entries = buyers.get(user_id) ?? new Map<string, number>()
    buyers.set(user_id, entries.set(order_id, quantity))
  }
  const { sale_id, total, sold, seq, state, opens_at, run_id, epoch } = item
  return JSON.stringify({
    ...{ sale_id, total, sold, seq, state, opens_at, epoch, run_id: item.fenced === true ? '' : run_id },
    ends_at: item.ends_at ?? '',
    ...(item.seen === undefined ? {} : { seen: formatStock(item.seen) }),
    ...(item.links === undefined ? {} : { links: item.links }),
    holds: item.holds.map((hold) => [hold.order_id, hold.deadline, hold.quantity, formatClaim(hold)]),
    buyers: [...buyers].map(([user_id, entries]) => [
      user_id,
      [...entries].map(([order_id, quantity]) => `${order_id}:${quantity}`).join(' '),
    ]),
  })
}
