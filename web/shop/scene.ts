import { ask } from '../lib/api.ts'
import { byId, setText } from '../lib/dom.ts'
import { createServerClock, type ServerClock } from '../lib/server-clock.ts'
import { pause, whenVisible } from '../lib/time.ts'
import { say } from '../lib/words.ts'
import { isEarly, saleMoment, type SaleTimes } from '../../src/contracts/sale-moment.ts'
import type { Sale, SaleStock } from '../../src/contracts/shapes.ts'
import type { Units } from '../../src/contracts/words/shop.ts'

/** A sale as its page goes on knowing it. */
export interface LiveSale {
  readonly id: string
  readonly items: readonly string[]
  times: SaleTimes
  /** Of the operator; empty where there is none. Undefined: as the page was rendered. */
  message: string | undefined
  /** By item; one that is missing is not known. */
  readonly units: Map<string, Units>
}

interface Scene {
  readonly server_time: number
  readonly sales: readonly (SaleTimes & {
    readonly id: string
    readonly items: readonly { readonly id: string; readonly units: Units | null }[]
  })[]
}

const SALE_EVERY_MS = 10_000
/** Nothing is sold before the opening; from then on a restock is to be seen within a second. */
const [STOCK_EARLY_MS, STOCK_MS] = [10_000, 1000]

/** What the page was rendered from. Moments on it are put into the visitor's own time zone on the way. */
export function readScene(): { sales: LiveSale[]; clock: ServerClock } {
  const scene = JSON.parse(byId('scene').textContent) as Scene
  const clock = createServerClock()
  clock.observe(scene.server_time)
  for (const time of document.querySelectorAll('time')) setText(time, say.moment(Date.parse(time.dateTime)))
  const sales = scene.sales.map(({ id, items, ...times }) => ({
    ...{ id, times, items: items.map((item) => item.id), message: undefined },
    units: new Map(items.flatMap((item) => (item.units === null ? [] : [[item.id, item.units] as const]))),
  }))
  return { sales, clock }
}

/**
 * Goes on asking how a sale stands and what is left of it, until it is over. `changed` is called after each answer;
 * `watched` is an item whose stock comes another way.
 */
export function keepSale(sale: LiveSale, clock: ServerClock, changed: () => void, watched?: string): void {
  const isOver = () => ['ended', 'post_sale'].includes(saleMoment(sale.times, clock.now()))
  const every = async (waitMs: () => number, look: () => Promise<void>) => {
    while (!isOver()) {
      await pause(waitMs() * (0.9 + Math.random() * 0.2))
      await whenVisible()
      await look()
      changed()
    }
  }
  void every(
    () => SALE_EVERY_MS,
    async () => {
      const answer = await ask<Sale>(`/api/sales/${sale.id}`)
      if (answer.kind !== 'ok') return
      sale.times = answer.body
      sale.message = answer.body.message
    },
  )
  if (sale.items.every((item) => item === watched)) return
  void every(
    () => (isEarly(saleMoment(sale.times, clock.now())) ? STOCK_EARLY_MS : STOCK_MS),
    async () => {
      const answer = await ask<SaleStock>(`/api/sales/${sale.id}/stock`)
      if (answer.kind !== 'ok') return
      clock.observe(answer.body.server_time)
      for (const stock of answer.body.items) sale.units.set(stock.item_id, stock)
    },
  )
}
