import type { FoundOrder } from '../../contracts/order-search-http.ts'
import { type Cell, csvLines } from '../../platform/csv.ts'
import { unavailable } from '../../platform/errors.ts'
import type { Shards } from '../../platform/postgres.ts'
import { type OrderFilter, type Page, searchPage } from './search.ts'

const PAGE = 200

const COLUMNS: readonly (readonly [name: string, of: (order: FoundOrder) => Cell])[] = [
  ['order_id', ({ order_id }) => order_id],
  ['created_at', ({ created_at }) => iso(created_at)],
  ['sale_id', ({ sale_id }) => sale_id],
  ['item_id', ({ item_id }) => item_id],
  ['quantity', ({ quantity }) => quantity],
  ['amount_minor_units', ({ amount }) => amount],
  ['currency', ({ currency }) => currency],
  ['status', ({ status }) => status],
  ['failure_reason', ({ failure_reason }) => failure_reason],
  ['paid_at', ({ paid_at }) => iso(paid_at)],
  ['payment_provider', ({ payment }) => payment?.provider ?? null],
  ['payment_state', ({ payment }) => payment?.state ?? null],
  ['payment_id', ({ payment }) => payment?.provider_id ?? null],
  ['user_id', ({ user_id }) => user_id],
  ['email', ({ email }) => email],
  ['claim_seq', ({ claim_seq }) => claim_seq],
]

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())

/**
 * All orders that pass the filter as CSV, a page in memory at a time, as fast as it is read. Throws where a database does not
 * answer, and breaks off where one ceases to: half a list must not look like a whole one.
 */
export async function exportOrders(
  shards: Pick<Shards, 'survey'>,
  filter: OrderFilter,
  addresses: boolean,
): Promise<ReadableStream<Uint8Array>> {
  const read = async (after: Page['next']): Promise<Page> => {
    const page = await searchPage(shards, filter, { after, limit: PAGE, addresses })
    if (page.away.length > 0) throw unavailable('A database does not answer.', page.away[0])
    return page
  }
  const encoder = new TextEncoder()
  const lines = (rows: readonly (readonly Cell[])[]) => encoder.encode(csvLines(rows))
  let page: Page | undefined = await read(undefined)
  let next: Page['next']
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(lines([COLUMNS.map(([name]) => name)])),
    pull: async (controller) => {
      page ??= await read(next)
      const { orders } = page
      next = page.next
      page = undefined
      if (orders.length > 0)
        controller.enqueue(lines(orders.map((order) => COLUMNS.map(([, of]) => of(order)))))
      if (next === undefined) controller.close()
    },
  })
}
