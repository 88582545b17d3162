import { useLoad } from '../api.ts'
import { formatInstant, formatMoney, number, plural } from '../format.ts'
import { CommandDialog, DialogButton, LookOnly } from '../parts/command.tsx'
import { Badge, Card, Head } from '../parts/page.tsx'
import { Loaded } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'

interface Mails {
  readonly due: number
  readonly dead: number
  readonly undelivered: readonly {
    readonly order_id: string
    readonly kind: string
    readonly attempts: number
    readonly code: string | null
    readonly at: number
  }[]
}

interface Unfunded {
  readonly order_id: string
  readonly sale_id: string
  readonly item_id: string
  readonly provider: string
  readonly provider_ref: string
  readonly state: 'authorised' | 'lost'
  readonly amount: number
  readonly currency: string
  readonly paid_at: number
}

/** Mails that did not go out, and paid orders whose money has not come. */
export function Notices() {
  const mails = useLoad<Mails>('/notices', 10_000)
  const payments = useLoad<{ orders: Unfunded[] }>('/payments/unfunded', 10_000)
  return (
    <>
      <Head title="Mails and payments" lead="What buyers should have got, and money that should have come." />
      <LookOnly />
      <Card
        title="Mails to buyers"
        actions={
          (mails.body?.dead ?? 0) > 0 ? (
            <DialogButton label="Try all again">
              {(close) => (
                <CommandDialog<{ retried: number }>
                  title="Try the undelivered mails again?"
                  explain="Once the mail server has been put right: every mail that was given up is tried anew."
                  path="/notices/retry"
                  button="Try again"
                  effect={({ retried }) => `${plural(retried, 'mail')} will be tried again.`}
                  onDone={mails.reload}
                  onClose={close}
                />
              )}
            </DialogButton>
          ) : null
        }
      >
        <Loaded load={mails}>{(found) => <MailState mails={found} />}</Loaded>
      </Card>
      <Card title="Paid, and no money yet">
        <Loaded load={payments}>{({ orders }) => <UnfundedOrders orders={orders} />}</Loaded>
      </Card>
    </>
  )
}

function MailState({ mails: { due, dead, undelivered } }: { mails: Mails }) {
  return (
    <>
      <p class="small">
        {due === 0 ? 'No mail waits' : `${plural(due, 'mail')} to be sent`};{' '}
        {dead === 0 ? 'none was given up.' : `${plural(dead, 'mail')} given up.`}
      </p>
      {undelivered.length === 0 ? null : (
        <Table<Mails['undelivered'][number]>
          label="Undelivered mails"
          rows={undelivered}
          keyOf={({ order_id, kind }) => `${order_id} ${kind}`}
          columns={[
            { head: 'Since', cell: ({ at }) => <time class="nowrap">{formatInstant(at)}</time> },
            { head: 'About the order', cell: ({ order_id }) => <OrderLink id={order_id} /> },
            { head: 'Kind', cell: ({ kind }) => kind },
            { head: 'Tries', numeric: true, cell: ({ attempts }) => number(attempts) },
            { head: 'The server said', cell: ({ code }) => code ?? 'nothing' },
          ]}
        />
      )}
    </>
  )
}

function OrderLink({ id }: { id: string }) {
  return (
    <a href={`/orders/${id}`}>
      <code>{id}</code>
    </a>
  )
}

function UnfundedOrders({ orders }: { orders: readonly Unfunded[] }) {
  if (orders.length === 0) return <p class="quiet small">The money of every paid order has come.</p>
  return (
    <>
      <p class="small quiet">
        Authorised: the capture is tried every few seconds, nothing is to be done. Lost: the authorisation was
        given up at the provider; the buyer is asked by mail, where there is an address, to pay once more. Or
        cancel the order as oversold.
      </p>
      <Table<Unfunded>
        label="Paid orders without money"
        rows={orders}
        keyOf={({ order_id }) => order_id}
        columns={[
          { head: 'Paid', cell: ({ paid_at }) => <time class="nowrap">{formatInstant(paid_at)}</time> },
          { head: 'Order', cell: ({ order_id }) => <OrderLink id={order_id} /> },
          { head: 'Sale', cell: ({ sale_id }) => <a href={`/sales/${sale_id}`}>{sale_id}</a> },
          { head: 'State', cell: ({ state }) => <Badge of={state}>{state}</Badge> },
          {
            ...{ head: 'Amount', numeric: true },
            cell: ({ amount, currency }) => formatMoney(amount, currency),
          },
          { head: 'At the provider', cell: ({ provider, provider_ref }) => `${provider} ${provider_ref}` },
        ]}
      />
    </>
  )
}
