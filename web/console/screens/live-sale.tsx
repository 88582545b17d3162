import { useEffect, useMemo, useState } from 'preact/hooks'
import { config } from '../../lib/config.ts'
import { createServerClock } from '../../lib/server-clock.ts'
import { useLoad } from '../api.ts'
import { ago, duration, formatCountdown, formatMoment } from '../format.ts'
import { Chart } from '../live/chart.tsx'
import { Controls } from '../live/controls.tsx'
import { Numbers } from '../live/numbers.tsx'
import { panelsOf } from '../live/panels.ts'
import { within } from '../live/series.ts'
import { StockCard } from '../live/stock.tsx'
import { Outcomes, ValuesTable } from '../live/tables.tsx'
import { type Live, useLive } from '../live/use-live.ts'
import { LookOnly } from '../parts/command.tsx'
import { useNow } from '../parts/now.ts'
import { Badge, Head } from '../parts/page.tsx'
import { isBefore, isOver, PhaseBadge, phaseOf } from '../parts/phase.tsx'
import { Empty, Loaded, Loading, Trouble } from '../parts/states.tsx'
import { Crowd } from './rehearse.tsx'
import type { Phase, SaleWithProducts } from '../shapes.ts'

const SALE_EVERY_MS = 5000
const RANGES = [1, 5, 15, 60] as const

/** A sale while it runs: what happens, and what can be done about it. */
export function LiveSale({ id }: { id: string }) {
  const sale = useLoad<SaleWithProducts>(`/sales/${id}`, SALE_EVERY_MS)
  const live = useLive(id)
  const now = useServerNow(live.samples)
  if (sale.body === undefined)
    return (
      <>
        <Head title={id} above={<a href="/">Sales</a>} />
        <Loaded load={sale}>{() => null}</Loaded>
      </>
    )
  const phase = live.samples.at(-1)?.phase ?? phaseOf(sale.body, now)
  const refresh = (changed: SaleWithProducts) => sale.put(changed)
  return (
    <>
      <Head
        title={sale.body.name}
        above={<a href="/">Sales</a>}
        beside={
          <>
            <PhaseBadge phase={phase} />
            {sale.body.rehearsal ? <Badge of="rehearsal">Rehearsal</Badge> : null}
            <Connection live={live} now={now} />
          </>
        }
        lead={<When sale={sale.body} phase={phase} now={now} />}
        actions={<Links sale={sale.body} />}
      />
      {sale.refused ? <Trouble refused={sale.refused} retry={sale.reload} /> : null}
      <LookOnly />
      <Controls sale={sale.body} phase={phase} onDone={refresh} />
      {sale.body.message === '' ? null : (
        <p class="banner">
          <strong>Message in the waiting room:</strong> {sale.body.message}
        </p>
      )}
      {sale.body.rehearsal && !isOver(phase) ? (
        <div class="banner">
          <p>
            <strong>A rehearsal.</strong> The shop does not list it, and no real money moves for it. Send
            simulated buyers to it, on the machine that runs Doorbuster:
          </p>
          <Crowd id={id} />
        </div>
      ) : null}
      <Screen sale={sale.body} live={live} onChanged={sale.reload} />
    </>
  )
}

function Screen({
  sale,
  live: { samples, refused },
  onChanged,
}: {
  sale: SaleWithProducts
  live: Live
  onChanged: () => void
}) {
  const [minutes, setMinutes] = useState<number>(5)
  const shown = useMemo(() => within(samples, minutes), [samples, minutes])
  const panels = useMemo(() => panelsOf(shown), [shown])
  const last = samples.at(-1)
  return (
    <>
      {refused ? <Trouble refused={refused} /> : null}
      {last === undefined ? refused ? null : <Loading lines={6} /> : <Numbers samples={samples} />}
      <StockCard sale={sale} sample={last} onChanged={onChanged} />
      {last === undefined ? null : (
        <>
          <div class="range" role="group" aria-label="How far back the charts go">
            {RANGES.map((range) => (
              <button
                key={range}
                type="button"
                aria-pressed={range === minutes}
                onClick={() => setMinutes(range)}
              >
                {range} min
              </button>
            ))}
          </div>
          {shown.length < 2 ? (
            <Empty title="The first numbers come in a moment." />
          ) : (
            <div class="charts">
              {panels.map((panel) => (
                <Chart key={panel.title} {...panel} />
              ))}
            </div>
          )}
          <Outcomes sample={last} />
          <ValuesTable panels={panels} minutes={minutes} />
        </>
      )}
    </>
  )
}

/** The server's time, as far as the samples tell: an operator's own clock may be wrong. */
function useServerNow(samples: Live['samples']): number {
  const [clock] = useState(createServerClock)
  const last = samples.at(-1)?.at
  useEffect(() => {
    if (last !== undefined) clock.observe(last)
  }, [last])
  useNow()
  return clock.now()
}

/** Whether what is shown is from right now. */
function Connection({ live: { samples, connected }, now }: { live: Live; now: number }) {
  const last = samples.at(-1)
  if (last === undefined) return null
  return connected ? (
    <span class="pulse">Live</span>
  ) : (
    <span class="pulse stale">Numbers from {ago(last.at, now)}; reconnecting</span>
  )
}

function When({ sale, phase, now }: { sale: SaleWithProducts; phase: Phase; now: number }) {
  if (isBefore(phase))
    return (
      <>
        Opens in <strong class="countdown">{formatCountdown(sale.opens_at - now)}</strong>,{' '}
        {formatMoment(sale.opens_at)}
      </>
    )
  const since = `Opened ${formatMoment(sale.opens_at)}`
  if (sale.ends_at === null || sale.state === 'ended') return <>{since}</>
  const left = (sale.ends_at - now) / 1000
  return (
    <>
      {since}, {left > 0 ? `ends in ${duration(left)}` : `ended ${formatMoment(sale.ends_at)}`}
    </>
  )
}

/** To what buyers see, and to what else can be done with the sale. */
function Links({ sale }: { sale: SaleWithProducts }) {
  const [first] = sale.products
  return (
    <>
      <a class="button quiet" href={sale.queue_url} target="_blank" rel="noopener">
        Waiting room ↗
      </a>
      {first ? (
        <a
          class="button quiet"
          href={`${config.shop_url}/products/${first.id}`}
          target="_blank"
          rel="noopener"
        >
          Shop page ↗
        </a>
      ) : null}
      <a class="button quiet" href={`/orders?sale=${sale.id}`}>
        Orders
      </a>
      <a class="button quiet" href={`/sales/${sale.id}/edit`}>
        Edit
      </a>
      {sale.rehearsal ? null : (
        <a class="button quiet" href={`/sales/${sale.id}/rehearse`}>
          Rehearse
        </a>
      )}
    </>
  )
}
