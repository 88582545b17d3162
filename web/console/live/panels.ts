import type { LiveSample } from '../shapes.ts'
import { words } from '../format.ts'
import type { ChartProps, Series } from './chart.tsx'
import { ratesOf, stockOf, type Values } from './series.ts'

/** Most outcomes of claims that are drawn, the most frequent first; the table has them all. */
const MOST_OUTCOMES = 5

/** What is drawn of a sale. */
export function panelsOf(samples: readonly LiveSample[]): ChartProps[] {
  const times = samples.map(({ at }) => at / 1000)
  const now = (pick: (sample: LiveSample) => number | null): Values => samples.map(pick)
  const rate = (pick: (sample: LiveSample) => number) => ratesOf(samples, pick)
  const outcomes = Object.entries(samples.at(-1)?.claims ?? {})
    .sort(([a, n], [b, m]) => Number(b === 'claimed') - Number(a === 'claimed') || m - n)
    .slice(0, MOST_OUTCOMES)
    .map(([outcome]) => outcome)
  const panel = (title: string, unit: string, series: Series[]): ChartProps => ({
    ...{ title, unit, times, series },
  })
  return [
    panel('Arrivals and admissions', 'people a second', [
      { label: 'Arriving', values: rate(({ queue }) => queue.joined), color: 1 },
      { label: 'Let in', values: rate(({ queue }) => queue.entered), color: 2 },
      {
        ...{ label: 'Rate that is set', color: 5, dashed: true },
        values: now(({ queue }) => queue.rate_per_second),
      },
    ]),
    panel('Waiting', 'people', [{ label: 'In line', values: now(({ queue }) => queue.depth), color: 1 }]),
    panel('In checkout', 'people', [
      { label: 'In checkout', values: now(({ queue }) => queue.checkouts), color: 2 },
      { label: 'Cap', values: now(({ queue }) => queue.checkout_cap), color: 5, dashed: true },
    ]),
    panel(
      'Claims',
      'answers a second',
      outcomes.map((outcome, i) => ({
        label: words(outcome),
        values: rate(({ claims }) => claims[outcome] ?? 0),
        color: outcome === 'claimed' ? 2 : ([1, 3, 4, 5, 6][i] ?? 6),
      })),
    ),
    panel('Stock', 'units of all items', [
      { label: 'Available', values: now(stockOf('available')), color: 1 },
      { label: 'Held', values: now(stockOf('held')), color: 4 },
      { label: 'Sold', values: now(stockOf('sold')), color: 2 },
    ]),
    panel('Orders', 'orders', [
      { label: 'Pending', values: now(({ orders }) => orders.PENDING), color: 4 },
      { label: 'Paid', values: now(({ orders }) => orders.PAID), color: 2 },
      { label: 'Failed', values: now(({ orders }) => orders.FAILED), color: 3 },
    ]),
    panel('Lag of the event log', 'events not in SQL yet', [
      { label: 'Waiting', values: now(({ event_log }) => event_log.waiting), color: 1 },
      { label: 'Oldest', values: now(({ event_log }) => event_log.oldest_s), color: 3, right: 's' },
    ]),
    panel('Requests and errors', 'a second', [
      { label: 'Requests', values: rate(({ requests }) => requests), color: 1 },
      { label: 'Errors', values: rate(({ errors }) => errors), color: 3 },
    ]),
  ]
}
