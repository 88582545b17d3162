import { useLoad } from '../api.ts'
import { ago, number, signed, words } from '../format.ts'
import { Badge } from '../parts/page.tsx'
import { Loaded } from '../parts/states.tsx'
import type { DriftReport } from '../shapes.ts'

/** What each place says of one item right now, side by side. */
export function Drift({ item }: { item: string }) {
  const load = useLoad<DriftReport>(`/items/${item}/drift`, 5000)
  return <Loaded load={load}>{(report) => <Report report={report} />}</Loaded>
}

function Report({ report }: { report: DriftReport }) {
  const { sql, redis, units, outbox, event_log, drift, oversold, last_run, since } = report
  return (
    <>
      <p>
        {drift === 0 ? (
          <Badge of="clean">No drift</Badge>
        ) : (
          <Badge of="in_motion">Drift {signed(drift)}</Badge>
        )}{' '}
        {oversold > 0 ? <Badge of="oversold">{number(oversold)} oversold</Badge> : null}{' '}
        <span class="quiet small">
          {drift === 0 ? '' : 'What is on its way counts here too: a number that stays is one to look at. '}
          {since === null ? '' : `There has been trouble since ${ago(since)}. `}
          {last_run === null ? '' : `Last compared ${ago(last_run.started_at)}: ${words(last_run.outcome)}.`}
        </span>
      </p>
      <div class="columns">
        <Facts
          title="SQL, the truth"
          facts={[
            ['units there are', units],
            ['paid', sql.PAID.units],
            ['pending', sql.PENDING.units],
            ['failed', sql.FAILED.units],
          ]}
        />
        {redis === null ? (
          <Facts title="Redis, the stock" facts={[]} />
        ) : (
          <Facts
            title={redis.fenced ? 'Redis, fenced' : 'Redis, the stock'}
            facts={[
              ['units there are', redis.total],
              ['sold', redis.sold],
              ['held', redis.held],
              ['available', redis.available],
              ['holds', redis.holds.orders],
            ]}
          />
        )}
        <Facts
          title="On the way"
          facts={[
            ['events in the outbox', outbox],
            ['events of all items', event_log.backlog],
            ['dead letters', event_log.dead_letters],
          ]}
        />
      </div>
    </>
  )
}

function Facts({ title, facts }: { title: string; facts: readonly (readonly [string, number])[] }) {
  return (
    <section>
      <h3>{title}</h3>
      {facts.length === 0 ? <p class="quiet small">Not loaded, or it can not be read.</p> : null}
      <dl class="counts">
        {facts.map(([name, n]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{number(n)}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
