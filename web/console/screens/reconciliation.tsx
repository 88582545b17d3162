import { useState } from 'preact/hooks'
import { useLoad } from '../api.ts'
import { formatInstant, number, signed, words } from '../format.ts'
import { Drift } from './drift.tsx'
import { CommandDialog, DialogButton, LookOnly } from '../parts/command.tsx'
import { Badge, Card, Head } from '../parts/page.tsx'
import { Select } from '../parts/field.tsx'
import { Empty, Loaded } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { place, setQuery } from '../route.ts'
import type { RecordedRun, ReconcileRun } from '../shapes.ts'

/** SQL against Redis: what the comparisons found, and what each place says of one item right now. */
export function Reconciliation() {
  const runs = useLoad<{ runs: RecordedRun[] }>('/reconcile', 10_000)
  const { query } = place.use()
  const item = query.get('item') ?? ''
  const items = itemsOf(runs.body?.runs, item)
  return (
    <>
      <Head
        title="Reconciliation"
        lead="Every 30 seconds, and after each restart of Redis, the stock is compared with the orders in SQL, and what is wrong is put right."
        actions={
          <DialogButton label="Compare now" kind="main">
            {(close) => <RunNow items={items} onDone={runs.reload} onClose={close} />}
          </DialogButton>
        }
      />
      <LookOnly />
      <Card title="One item, right now">
        <div class="filters">
          <Select
            label="Item"
            value={item}
            onInput={(chosen) => setQuery({ item: chosen })}
            choices={[
              { value: '', label: 'Choose an item' },
              ...items.map((id) => ({ value: id, label: id })),
            ]}
          />
        </div>
        {item === '' ? (
          <p class="quiet small">
            Shows side by side what SQL, Redis, the outbox and the event log say of its units.
          </p>
        ) : (
          <Drift key={item} item={item} />
        )}
      </Card>
      <Card title="Latest runs">
        <Loaded load={runs}>
          {(found) =>
            found.runs.length === 0 ? (
              <Empty title="Nothing has been compared yet: the first run comes within half a minute." />
            ) : (
              <Runs runs={found.runs} choose={(id) => setQuery({ item: id })} />
            )
          }
        </Loaded>
      </Card>
    </>
  )
}

/** Items that have been compared: every one is, twice a minute. */
function itemsOf(runs: readonly RecordedRun[] | undefined, chosen: string): readonly string[] {
  const items = new Set(runs?.map(({ item_id }) => item_id))
  return [...(chosen === '' ? items : items.add(chosen))].sort()
}

function Runs({ runs, choose }: { runs: readonly RecordedRun[]; choose: (item: string) => void }) {
  return (
    <Table<RecordedRun>
      label="Runs of reconciliation"
      rows={runs}
      keyOf={({ started_at, item_id }) => `${started_at} ${item_id}`}
      columns={[
        { head: 'When', cell: ({ started_at }) => <time class="nowrap">{formatInstant(started_at)}</time> },
        {
          head: 'Item',
          cell: ({ item_id }) => (
            <button type="button" class="link" onClick={() => choose(item_id)}>
              {item_id}
            </button>
          ),
        },
        { head: 'Outcome', cell: ({ outcome }) => <Badge of={outcome}>{words(outcome)}</Badge> },
        { head: 'Drift', numeric: true, cell: ({ drift }) => signed(drift) },
        {
          head: 'Report',
          cell: ({ report }) => (
            <details>
              <summary>Show</summary>
              <pre>{JSON.stringify(report, null, 2)}</pre>
            </details>
          ),
        },
      ]}
    />
  )
}

function RunNow({
  items,
  onDone,
  onClose,
}: {
  items: readonly string[]
  onDone: () => void
  onClose: () => void
}) {
  const [item, setItem] = useState('')
  return (
    <CommandDialog<{ runs: ReconcileRun[] }>
      title="Compare the stock with the orders now?"
      explain="Safe at any time, at the peak too: only what is certain is put right. SQL is the truth."
      path="/reconcile"
      body={item === '' ? {} : { item_id: item }}
      button="Compare"
      effect={({ runs }) => {
        const off = runs.filter(({ outcome }) => outcome !== 'clean')
        if (off.length === 0) return `${number(runs.length)} items compared: all clean.`
        return off
          .map(({ item_id, outcome, drift }) => `${item_id}: ${words(outcome)}, drift ${signed(drift)}`)
          .join('; ')
      }}
      onDone={onDone}
      onClose={onClose}
    >
      <Select
        label="Which"
        value={item}
        onInput={setItem}
        choices={[{ value: '', label: 'All items' }, ...items.map((id) => ({ value: id, label: id }))]}
      />
    </CommandDialog>
  )
}
