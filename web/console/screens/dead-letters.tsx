import { useLoad } from '../api.ts'
import { formatInstant, number } from '../format.ts'
import { CommandDialog, DialogButton, LookOnly } from '../parts/command.tsx'
import { Card, Head } from '../parts/page.tsx'
import { Empty, Loaded } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'

interface Letter {
  readonly id: string
  readonly item_id: string
  readonly outbox_id: string
  readonly reason: string
  readonly fields: Readonly<Record<string, string>>
  readonly at: number
}

interface Backlog {
  readonly items: readonly {
    readonly item_id: string
    readonly outbox: number
    readonly oldest_s: number | null
  }[]
  readonly consumer_lag: number | null
  readonly outbox_max: number
}

/** Events that no worker could process, and those that are on their way. */
export function DeadLetters() {
  const letters = useLoad<{ dead_letters: Letter[] }>('/dead-letters', 5000)
  const backlog = useLoad<Backlog>('/backlog', 5000)
  return (
    <>
      <Head
        title="Dead letters"
        lead="An event that no worker could process is set aside, so that the ones behind it go on. Mend the cause, then replay it."
      />
      <LookOnly />
      <Loaded load={letters}>
        {({ dead_letters }) =>
          dead_letters.length === 0 ? (
            <Empty title="There are none: every event was processed." />
          ) : (
            dead_letters.map((letter) => (
              <OneLetter key={letter.id} letter={letter} onDone={letters.reload} />
            ))
          )
        }
      </Loaded>
      <Card title="On the way to SQL">
        <Loaded load={backlog}>{(found) => <OnTheWay backlog={found} />}</Loaded>
      </Card>
    </>
  )
}

function OneLetter({ letter, onDone }: { letter: Letter; onDone: () => void }) {
  const { id, item_id, reason, fields, at } = letter
  return (
    <Card
      title={item_id}
      actions={
        <DialogButton label="Replay">
          {(close) => (
            <CommandDialog
              title="Replay this event?"
              explain="It goes back into its outbox and is processed again, once. If the cause is still there it comes back here."
              path={`/dead-letters/${encodeURIComponent(id)}/replay`}
              button="Replay"
              effect={() => 'The event is back in its outbox.'}
              onDone={onDone}
              onClose={close}
            />
          )}
        </DialogButton>
      }
    >
      <p class="error-text">{reason}</p>
      <p class="quiet small">{formatInstant(at)}</p>
      <details>
        <summary>The event</summary>
        <dl class="facts-list">
          {Object.entries(fields).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <code>{value}</code>
              </dd>
            </div>
          ))}
        </dl>
      </details>
    </Card>
  )
}

function OnTheWay({ backlog: { items, consumer_lag, outbox_max } }: { backlog: Backlog }) {
  const busy = items.filter(({ outbox }) => outbox > 0)
  return (
    <>
      <p class="small">
        {consumer_lag === null
          ? 'Kafka does not answer: nobody knows how far its consumers are.'
          : `${number(consumer_lag)} events have not been given to a worker yet.`}{' '}
        <span class="quiet">
          Past {number(outbox_max)} events of one item its new claims are refused for a while.
        </span>
      </p>
      {busy.length === 0 ? (
        <p class="quiet small">Every event of every item is in SQL.</p>
      ) : (
        <Table
          label="Events on the way to SQL"
          rows={busy}
          keyOf={({ item_id }) => item_id}
          columns={[
            { head: 'Item', cell: ({ item_id }) => item_id },
            { head: 'Events', numeric: true, cell: ({ outbox }) => number(outbox) },
            {
              head: 'Oldest',
              numeric: true,
              cell: ({ oldest_s }) => (oldest_s === null ? '–' : `${number(oldest_s)} s`),
            },
          ]}
        />
      )}
    </>
  )
}
