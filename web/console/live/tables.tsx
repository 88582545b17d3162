import { number, words } from '../format.ts'
import { Card } from '../parts/page.tsx'
import { Table } from '../parts/table.tsx'
import type { LiveSample } from '../shapes.ts'
import type { ChartProps } from './chart.tsx'

/** Orders by status, why they failed, what came of payments and claims: all of the sale so far. */
export function Outcomes({ sample }: { sample: LiveSample }) {
  const { orders, payments, claims } = sample
  return (
    <div class="columns">
      <Counts
        title="Orders"
        rows={[
          ['paid', orders.PAID],
          ['pending', orders.PENDING],
          ['failed', orders.FAILED],
          ...sorted(orders.failures).map(([reason, n]) => [`failed: ${words(reason)}`, n] as const),
        ]}
      />
      <Counts title="Payments" rows={sorted(payments).map(([state, n]) => [words(state), n] as const)} />
      <Counts title="Claims" rows={sorted(claims).map(([outcome, n]) => [words(outcome), n] as const)} />
    </div>
  )
}

const sorted = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts).sort(([, a], [, b]) => b - a)

function Counts({ title, rows }: { title: string; rows: readonly (readonly [string, number])[] }) {
  return (
    <Card title={title}>
      {rows.length === 0 ? (
        <p class="quiet small">None so far.</p>
      ) : (
        <dl class="counts">
          {rows.map(([label, n]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{number(n)}</dd>
            </div>
          ))}
        </dl>
      )}
    </Card>
  )
}

interface ValueRow {
  readonly chart: string
  readonly line: string
  readonly unit: string
  readonly values: readonly number[]
}

/** What the charts show, as text. */
export function ValuesTable({ panels, minutes }: { panels: readonly ChartProps[]; minutes: number }) {
  const rows = panels.flatMap(({ title, unit, series }) =>
    series.map(({ label, values, right }): ValueRow => ({
      chart: title,
      line: label,
      unit: right ?? unit,
      values: values.filter((value) => value !== null),
    })),
  )
  const told = (n: number | undefined) => (n === undefined || !Number.isFinite(n) ? '–' : number(n))
  return (
    <details>
      <summary>The charts as a table</summary>
      <Table<ValueRow>
        label="Values of the charts"
        rows={rows}
        keyOf={({ chart, line }) => `${chart} ${line}`}
        columns={[
          { head: 'Chart', cell: ({ chart }) => chart },
          { head: 'Line', cell: ({ line }) => line },
          { head: 'Unit', cell: ({ unit }) => unit },
          { head: 'Now', numeric: true, cell: ({ values }) => told(values.at(-1)) },
          {
            ...{ head: `Least in ${minutes} min`, numeric: true },
            cell: ({ values }) => told(values.reduce((a, b) => Math.min(a, b), Infinity)),
          },
          {
            ...{ head: `Most in ${minutes} min`, numeric: true },
            cell: ({ values }) => told(values.reduce((a, b) => Math.max(a, b), -Infinity)),
          },
        ]}
      />
    </details>
  )
}
