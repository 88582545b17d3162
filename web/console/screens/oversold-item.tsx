import { useLoad } from '../api.ts'
import { ago, formatMoney, number, plural, words } from '../format.ts'
import { CommandDialog, DialogButton, LookOnly } from '../parts/command.tsx'
import { Badge, Card, Head } from '../parts/page.tsx'
import { Empty, Loaded } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { sessionState } from '../session.ts'
import type { OversellAnswer, OversellPlan } from '../shapes.ts'

type Preview = NonNullable<OversellAnswer['preview']>

/** Exactly which orders would be cancelled, who has approved that, and how far it has got. */
export function OversoldItem({ id }: { id: string }) {
  const load = useLoad<OversellAnswer>(`/items/${id}/oversell`, 3000)
  return (
    <>
      <Head title={id} above={<a href="/oversell">Oversell</a>} />
      <LookOnly role="admin" />
      <Loaded load={load}>
        {({ preview, plan }) => (
          <>
            {plan === null ? null : <Plan plan={plan} />}
            {preview === null ? (
              <Empty title="This item is not oversold." />
            ) : (
              <PreviewCard id={id} preview={preview} plan={plan} onDone={load.reload} />
            )}
          </>
        )}
      </Loaded>
    </>
  )
}

function Plan({ plan: { state, approvals, persons, orders, cancelled, units } }: { plan: OversellPlan }) {
  return (
    <Card title="Latest approval">
      <p>
        <Badge of={state}>{words(state)}</Badge> {plural(units, 'unit')} too many: {number(cancelled)} of{' '}
        {plural(orders, 'order')} cancelled.
      </p>
      <ul>
        {approvals.map(({ operator, reason, at }) => (
          <li key={operator}>
            <strong>{operator}</strong>, {ago(at)}: {reason}
          </li>
        ))}
      </ul>
      {state === 'waiting' ? (
        <p class="banner">
          {approvals.length} of {persons} admins have approved. Another one must sign in and approve the same
          list.
        </p>
      ) : null}
    </Card>
  )
}

function PreviewCard({
  id,
  preview,
  plan,
  onDone,
}: {
  id: string
  preview: Preview
  plan: OversellPlan | null
  onDone: () => void
}) {
  const { hash, orders, oversold, persons } = preview
  const state = sessionState.use()
  const me = state.kind === 'in' ? state.session.name : ''
  const given = plan?.hash === hash && plan.approvals.some(({ operator }) => operator === me)
  return (
    <Card
      title={`${plural(orders.length, 'order')} to be cancelled`}
      actions={
        persons === 0 || given ? null : (
          <DialogButton label="Approve" kind="danger" role="admin">
            {(close) => (
              <CommandDialog<OversellPlan>
                title={`Cancel ${orders.length === 1 ? 'this order' : `these ${number(orders.length)} orders`}?`}
                explain={`${plural(oversold, 'unit')} too many ${oversold === 1 ? 'was' : 'were'} sold. Paid orders are refunded in full, and each buyer gets a gift card and a mail. This can not be undone.${persons > 1 ? ` ${persons} different admins must approve it.` : ''}`}
                path={`/items/${id}/oversell/approve`}
                body={{ hash }}
                button="Approve"
                danger
                effect={(after) =>
                  after.state === 'waiting'
                    ? 'Approved by you; another admin must approve it too.'
                    : 'Approved: the orders are being cancelled.'
                }
                onDone={onDone}
                onClose={close}
              />
            )}
          </DialogButton>
        )
      }
    >
      <p class="small quiet">
        The last ones to claim come first.{' '}
        {persons === 0
          ? 'This sale does it by itself.'
          : given
            ? 'You have approved this list.'
            : `${persons === 1 ? 'One admin approves' : `${persons} different admins approve`} exactly this list; if it changes before that, it must be looked at again.`}
      </p>
      <Table<Preview['orders'][number]>
        label="Orders to be cancelled"
        rows={orders}
        keyOf={({ order_id }) => order_id}
        columns={[
          { head: 'Claim', numeric: true, cell: ({ claim_seq }) => number(claim_seq) },
          {
            head: 'Order',
            cell: ({ order_id }) => (
              <a href={`/orders/${order_id}`}>
                <code>{order_id}</code>
              </a>
            ),
          },
          { head: 'State', cell: ({ status }) => <Badge of={status}>{words(status)}</Badge> },
          { head: 'Units', numeric: true, cell: ({ quantity }) => number(quantity) },
          {
            ...{ head: 'Amount', numeric: true },
            cell: ({ amount, currency }) => formatMoney(amount, currency),
          },
          {
            ...{ head: 'Gift card', numeric: true },
            cell: ({ gift, currency }) => formatMoney(gift, currency),
          },
        ]}
      />
    </Card>
  )
}
