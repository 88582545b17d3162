import { useLoad } from '../api.ts'
import { formatCountdown, formatMoment, number } from '../format.ts'
import { useNow } from '../parts/now.ts'
import { Badge, Head } from '../parts/page.tsx'
import { isBefore, isOver, PhaseBadge, phaseOf } from '../parts/phase.tsx'
import { Empty, Loaded } from '../parts/states.tsx'
import { useMay } from '../session.ts'
import { stockOf } from '../live/series.ts'
import type { LiveSample, Sale } from '../shapes.ts'

const EVERY_MS = 5000

/** All sales: those that run or are to come first. */
export function Sales() {
  const load = useLoad<{ sales: Sale[] }>('/sales', EVERY_MS)
  const may = useMay('operator')
  return (
    <>
      <Head
        title="Sales"
        lead="A sale is a waiting room and the products behind it."
        actions={
          may ? (
            <a class="button" href="/new-sale">
              New sale
            </a>
          ) : null
        }
      />
      <Loaded load={load}>
        {({ sales }) =>
          sales.length === 0 ? (
            <Empty title="There is no sale yet.">
              <p>
                Create one: the form explains every setting, and nothing opens before the time you choose.
              </p>
            </Empty>
          ) : (
            <List sales={sales} />
          )
        }
      </Loaded>
    </>
  )
}

function List({ sales }: { sales: readonly Sale[] }) {
  const now = useNow()
  const sorted = [...sales].sort((a, b) => rank(a, now) - rank(b, now) || b.opens_at - a.opens_at)
  return (
    <ul class="rows">
      {sorted.map((sale) => (
        <li key={sale.id}>
          <a class="row" href={`/sales/${sale.id}`}>
            <span class="row-main">
              <strong>{sale.name}</strong>
              <code>{sale.id}</code>
            </span>
            <span class="row-badges">
              <PhaseBadge phase={phaseOf(sale, now)} />
              {sale.rehearsal ? <Badge of="rehearsal">Rehearsal</Badge> : null}
            </span>
            <span class="row-when">{when(sale, now)}</span>
            <span class="row-side">{isOver(phaseOf(sale, now)) ? null : <Stock id={sale.id} />}</span>
          </a>
        </li>
      ))}
    </ul>
  )
}

/** From the latest sample; nothing where there is none yet. */
function Stock({ id }: { id: string }) {
  const load = useLoad<{ samples: LiveSample[] }>(`/sales/${id}/live?minutes=1`, EVERY_MS)
  const sample = load.body?.samples.at(-1)
  if (sample === undefined) return null
  const [available, total] = [stockOf('available')(sample), stockOf('total')(sample)]
  return (
    <>
      <strong>{number(available)}</strong> of {number(total)} left
      <span class="waiting">{number(sample.queue.depth)} waiting</span>
    </>
  )
}

function rank(sale: Sale, now: number): number {
  const phase = phaseOf(sale, now)
  return isOver(phase) ? 2 : isBefore(phase) ? 1 : 0
}

function when(sale: Sale, now: number): string {
  const phase = phaseOf(sale, now)
  if (isBefore(phase))
    return `Opens in ${formatCountdown(sale.opens_at - now)}, ${formatMoment(sale.opens_at)}`
  return `Opened ${formatMoment(sale.opens_at)}`
}
