import { useLoad } from '../api.ts'
import { formatInstant } from '../format.ts'
import { Field, Select } from '../parts/field.tsx'
import { Head } from '../parts/page.tsx'
import { Empty, Loaded } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { place, setQuery } from '../route.ts'

interface Entry {
  readonly at: number
  readonly operator: string
  readonly command: string
  readonly target: string
  readonly reason: string
  readonly detail: Readonly<Record<string, unknown>>
}

/** Who did what, and why; the filters stand in the address. */
export function AuditLog() {
  const load = useLoad<{ entries: Entry[] }>('/audit', 15_000)
  const { query } = place.use()
  const chosen = {
    operator: query.get('operator') ?? '',
    command: query.get('command') ?? '',
    text: query.get('text') ?? '',
  }
  const choose = (changed: Partial<typeof chosen>) => setQuery({ ...chosen, ...changed })
  return (
    <>
      <Head
        title="Audit log"
        lead="Every command with who gave it and why, written before it took effect. The latest 200."
      />
      <Loaded load={load}>
        {({ entries }) => {
          const found = entries.filter((entry) => fits(entry, chosen))
          return (
            <>
              <div class="filters" role="search">
                <Select
                  label="Operator"
                  value={chosen.operator}
                  choices={choicesOf('Everybody', entries, ({ operator }) => operator)}
                  onInput={(operator) => choose({ operator })}
                />
                <Select
                  label="Command"
                  value={chosen.command}
                  choices={choicesOf('All', entries, ({ command }) => command)}
                  onInput={(command) => choose({ command })}
                />
                <Field
                  label="Target, reason or detail"
                  type="search"
                  value={chosen.text}
                  onInput={(text) => choose({ text })}
                />
              </div>
              {found.length === 0 ? <Empty title="No command fits." /> : <Entries entries={found} />}
            </>
          )
        }}
      </Loaded>
    </>
  )
}

function choicesOf(all: string, entries: readonly Entry[], pick: (entry: Entry) => string) {
  const values = [...new Set(entries.map(pick))].sort()
  return [{ value: '', label: all }, ...values.map((value) => ({ value, label: value }))]
}

function fits(
  entry: Entry,
  { operator, command, text }: { operator: string; command: string; text: string },
) {
  if (operator !== '' && entry.operator !== operator) return false
  if (command !== '' && entry.command !== command) return false
  const all = `${entry.target} ${entry.reason} ${JSON.stringify(entry.detail)}`.toLowerCase()
  return all.includes(text.trim().toLowerCase())
}

function Entries({ entries }: { entries: readonly Entry[] }) {
  return (
    <Table<Entry>
      label="Commands"
      rows={entries}
      keyOf={({ at }, i) => `${at} ${i}`}
      columns={[
        { head: 'When', cell: ({ at }) => <time class="nowrap">{formatInstant(at)}</time> },
        { head: 'Who', cell: ({ operator }) => operator },
        { head: 'Command', cell: ({ command }) => <code>{command}</code> },
        { head: 'Of', cell: ({ target }) => target },
        { head: 'Why', cell: ({ reason }) => reason },
        { head: 'Detail', cell: ({ detail }) => <Detail detail={detail} /> },
      ]}
    />
  )
}

function Detail({ detail }: { detail: Entry['detail'] }) {
  const values = Object.entries(detail)
  if (values.length === 0) return null
  const short = values.every(([, value]) => typeof value !== 'object')
  const text = values.map(([name, value]) => `${name}: ${String(value)}`).join(', ')
  if (short && text.length <= 80) return <span class="small">{text}</span>
  return (
    <details>
      <summary>Show</summary>
      <pre>{JSON.stringify(detail, null, 2)}</pre>
    </details>
  )
}
