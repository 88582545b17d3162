import { useLoad } from '../api.ts'
import { count, formatInstant, formatMoney, words } from '../format.ts'
import { Badge, Card, Head } from '../parts/page.tsx'
import { Loaded } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import type { OrderDetails } from '../shapes.ts'

type Fact = readonly [string, string | number | null]

/** All there is to know of one order: for the question of a buyer. */
export function Order({ id }: { id: string }) {
  const load = useLoad<OrderDetails>(`/orders/${id}`, 5000)
  const status = load.body?.order.status
  return (
    <>
      <Head
        title="Order"
        above={<a href="/orders">Orders</a>}
        beside={
          <>
            <code>{id}</code>
            {status ? <Badge of={status}>{words(status)}</Badge> : null}
          </>
        }
      />
      <Loaded load={load} lines={8}>
        {(found) => <Details {...found} />}
      </Loaded>
    </>
  )
}

function Details({ order, payments, gift_parts, gift_card, mails, audit }: OrderDetails) {
  const at = (ms: number | null) => (ms === null ? null : formatInstant(ms))
  const money = (amount: number) => formatMoney(amount, order.currency)
  return (
    <>
      <div class="columns">
        <Card title="What">
          <Facts
            facts={[
              ['Item', order.item_id],
              ['Units', count(order.quantity)],
              ['Price', money(order.amount)],
              ['Claim of the item', count(order.claim_seq)],
              ...gift_parts.map(({ amount }): Fact => ['Paid with a gift card', money(amount)]),
              ...(gift_card === null
                ? []
                : [
                    [
                      'Gift card to make up for it',
                      formatMoney(gift_card.amount, gift_card.currency),
                    ] as const,
                  ]),
            ]}
          />
          <p class="small">
            <a href={`/sales/${order.sale_id}`}>Sale {order.sale_id}</a>
          </p>
        </Card>
        <Card title="Who">
          <Facts
            facts={[
              ['Buyer', order.user_id],
              ['Mail address', order.email ?? 'none'],
            ]}
          />
          <p class="small">
            <a href={`/orders?q=${encodeURIComponent(order.user_id)}`}>All orders of this buyer</a>
          </p>
        </Card>
        <Card title="When">
          <Facts
            facts={[
              ['Claimed', at(order.claimed_at)],
              ['In SQL', at(order.created_at)],
              ['To be paid by', at(order.pay_by)],
              ['Paid', at(order.paid_at)],
              ['Failed', at(order.failed_at)],
              ['Because', order.failure_reason === null ? null : words(order.failure_reason)],
              ['Back in stock', at(order.restocked_at)],
            ]}
          />
        </Card>
      </div>
      <Card title="Payments">
        <Payments payments={payments} />
      </Card>
      <Card title="Mails">
        <Mails mails={mails} />
      </Card>
      <Card title="Commands about it, its item or its sale">
        <Commands audit={audit} />
      </Card>
    </>
  )
}

function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl class="counts">
      {facts.map(([name, value]) =>
        value === null ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  )
}

const None = () => <p class="quiet small">None.</p>

function Payments({ payments }: { payments: OrderDetails['payments'] }) {
  if (payments.length === 0) return <None />
  return (
    <Table<OrderDetails['payments'][number]>
      label="Payments"
      rows={payments}
      keyOf={({ provider_id }) => provider_id}
      columns={[
        { head: 'Begun', cell: ({ created_at }) => <time class="nowrap">{formatInstant(created_at)}</time> },
        { head: 'State', cell: ({ state }) => <Badge of={state}>{words(state)}</Badge> },
        { head: 'Since', cell: ({ updated_at }) => <time class="nowrap">{formatInstant(updated_at)}</time> },
        {
          ...{ head: 'Amount', numeric: true },
          cell: ({ amount, currency }) => formatMoney(amount, currency),
        },
        { head: 'Provider', cell: ({ provider }) => provider },
        { head: 'Its name there', cell: ({ provider_id }) => <code>{provider_id}</code> },
        { head: 'The provider said', cell: ({ failure_code }) => failure_code ?? '' },
      ]}
    />
  )
}

function Mails({ mails }: { mails: OrderDetails['mails'] }) {
  if (mails.length === 0) return <None />
  return (
    <Table<OrderDetails['mails'][number]>
      label="Mails"
      rows={mails}
      keyOf={({ kind }) => kind}
      columns={[
        { head: 'About', cell: ({ kind }) => kind },
        { head: 'State', cell: ({ state }) => state },
        { head: 'Sent', cell: ({ sent_at }) => (sent_at === null ? 'not yet' : formatInstant(sent_at)) },
        { head: 'Tries', numeric: true, cell: ({ attempts }) => count(attempts) },
        { head: 'The server said', cell: ({ code }) => code ?? '' },
      ]}
    />
  )
}

function Commands({ audit }: { audit: OrderDetails['audit'] }) {
  if (audit.length === 0) return <None />
  return (
    <Table<OrderDetails['audit'][number]>
      label="Commands"
      rows={audit}
      keyOf={({ at }, i) => `${at} ${i}`}
      columns={[
        { head: 'When', cell: ({ at }) => <time class="nowrap">{formatInstant(at)}</time> },
        { head: 'Who', cell: ({ operator }) => operator },
        { head: 'Command', cell: ({ command }) => <code>{command}</code> },
        { head: 'Of', cell: ({ target }) => target },
        { head: 'Why', cell: ({ reason }) => reason },
      ]}
    />
  )
}
