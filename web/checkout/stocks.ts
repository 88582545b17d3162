import type { Product, Stock } from '../../src/contracts/shapes.ts'
import { pollStock } from '../lib/live-stock.ts'
import type { ServerClock } from '../lib/server-clock.ts'

type Show = (stock: Stock) => void

/** The stock of everything in a sale, asked for once a second however many look on. */
export interface Stocks {
  /** Tells `show` the last known stock of an item, and each that follows; returns how to stop it. */
  watch(item: string, show: Show): () => void
}

/** Runs as long as the page, and keeps the clock right. */
export function watchStocks(products: readonly Product[], clock: ServerClock): Stocks {
  const known = new Map<string, Stock>()
  const watchers = new Map<string, Set<Show>>(products.map(({ id }) => [id, new Set()]))
  for (const { id } of products)
    void pollStock(id, (stock) => {
      clock.observe(stock.server_time)
      known.set(id, stock)
      for (const show of watchers.get(id) ?? []) show(stock)
    })
  return {
    watch: (item, show) => {
      const last = known.get(item)
      if (last !== undefined) show(last)
      watchers.get(item)?.add(show)
      return () => watchers.get(item)?.delete(show)
    },
  }
}
