import { number } from '../format.ts'
import type { LiveSample } from '../shapes.ts'
import { recentRate, stockOf } from './series.ts'

interface Tile {
  readonly label: string
  readonly value: string
  readonly more: string
  readonly bad?: boolean
}

/** The numbers one looks at first; rates are of the last five seconds. */
export function Numbers({ samples }: { samples: readonly LiveSample[] }) {
  const last = samples.at(-1)
  if (last === undefined) return null
  const rate = (pick: (sample: LiveSample) => number) => recentRate(samples, pick)
  const perSecond = (n: number | null) => `${n === null ? '–' : number(n)}/s`
  const { queue, orders, event_log } = last
  const [available, held, sold] = [stockOf('available')(last), stockOf('held')(last), stockOf('sold')(last)]
  const errors = rate((sample) => sample.errors)
  const refunds = (last.payments['refund_due'] ?? 0) + (last.payments['refunded'] ?? 0)
  const tiles: readonly Tile[] = [
    {
      label: 'Waiting',
      value: number(queue.depth),
      more: `${perSecond(rate((s) => s.queue.joined))} arriving`,
    },
    {
      label: 'Let in',
      value: number(queue.entered),
      more: `${perSecond(rate((s) => s.queue.entered))} of ${number(queue.rate_per_second)}/s set`,
    },
    {
      label: 'In checkout',
      value: number(queue.checkouts),
      more: queue.checkout_cap === null ? 'no cap' : `cap ${number(queue.checkout_cap)}`,
    },
    { label: 'Available', value: number(available), more: `${number(held)} held` },
    { label: 'Sold', value: number(sold), more: `of ${number(stockOf('total')(last))} units` },
    {
      label: 'Claims',
      value: number(last.claims['claimed'] ?? 0),
      more: `${perSecond(rate((s) => s.claims['claimed'] ?? 0))} now`,
    },
    {
      label: 'Paid',
      value: number(orders.PAID),
      more: `${number(orders.PENDING)} pending, ${number(orders.FAILED)} failed`,
    },
    {
      label: 'Captured',
      value: number(last.payments['captured'] ?? 0),
      more: `${number(last.payments['failed'] ?? 0)} declined, ${number(refunds)} refunded`,
      bad: (last.payments['lost'] ?? 0) > 0,
    },
    {
      label: 'Event log lag',
      value: event_log.waiting === 0 ? '0 s' : `${number(event_log.oldest_s)} s`,
      more:
        event_log.dead_letters > 0
          ? `${number(event_log.dead_letters)} dead letters`
          : `${number(event_log.waiting)} waiting`,
      bad: event_log.oldest_s > 10 || event_log.dead_letters > 0,
    },
    {
      label: 'Errors',
      value: perSecond(errors),
      more: `of ${perSecond(rate((s) => s.requests))} requests`,
      bad: (errors ?? 0) > 0,
    },
  ]
  return (
    <dl class="tiles">
      {tiles.map(({ label, value, more, bad }) => (
        <div key={label} class={bad ? 'tile bad' : 'tile'}>
          <dt>{label}</dt>
          <dd class="tile-value">{value}</dd>
          <dd class="tile-more">{more}</dd>
        </div>
      ))}
    </dl>
  )
}
