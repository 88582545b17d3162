import { useLoad } from '../api.ts'
import { formatInstant, formatMoney, number } from '../format.ts'
import { Card, Head } from '../parts/page.tsx'
import { Empty, Loaded } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import type { IssuedGiftCard, OversoldItem } from '../shapes.ts'

/** Items with more sold and promised than there is, and what was given to make up for it. */
export function Oversell() {
  const items = useLoad<{ items: OversoldItem[] }>('/oversold', 5000)
  const cards = useLoad<{ gift_cards: IssuedGiftCard[] }>('/gift-cards', 15_000)
  return (
    <>
      <Head
        title="Oversell"
        lead="An item of which more was sold and promised than there is sells nothing more. Its last orders are cancelled, refunded and made up for, once that is approved."
      />
      <Loaded load={items}>
        {(found) =>
          found.items.length === 0 ? (
            <Empty title="No item is oversold." />
          ) : (
            <Table<OversoldItem>
              label="Oversold items"
              rows={found.items}
              keyOf={({ item_id }) => item_id}
              columns={[
                { head: 'Item', cell: ({ item_id }) => <strong>{item_id}</strong> },
                { head: 'Units there are', numeric: true, cell: ({ units }) => number(units) },
                { head: 'Paid', numeric: true, cell: ({ paid }) => number(paid) },
                { head: 'Pending', numeric: true, cell: ({ pending }) => number(pending) },
                { head: 'Too many', numeric: true, cell: ({ oversold }) => number(oversold) },
                {
                  head: '',
                  cell: ({ item_id }) => (
                    <a class="button quiet" href={`/oversell/${item_id}`}>
                      Look and approve
                    </a>
                  ),
                },
              ]}
            />
          )
        }
      </Loaded>
      <Card title="Gift cards that were issued">
        <Loaded load={cards}>
          {({ gift_cards }) =>
            gift_cards.length === 0 ? (
              <p class="quiet small">None so far.</p>
            ) : (
              <Table<IssuedGiftCard>
                label="Gift cards"
                rows={gift_cards}
                keyOf={({ order_id }) => order_id}
                columns={[
                  {
                    head: 'Issued',
                    cell: ({ issued_at }) => <time class="nowrap">{formatInstant(issued_at)}</time>,
                  },
                  {
                    head: 'For the order',
                    cell: ({ order_id }) => (
                      <a href={`/orders/${order_id}`}>
                        <code>{order_id}</code>
                      </a>
                    ),
                  },
                  { head: 'Code', cell: ({ code_ends_in }) => <code>…{code_ends_in}</code> },
                  {
                    ...{ head: 'Amount', numeric: true },
                    cell: ({ amount, currency }) => formatMoney(amount, currency),
                  },
                  {
                    ...{ head: 'Left', numeric: true },
                    cell: ({ balance, currency }) => formatMoney(balance, currency),
                  },
                  {
                    head: 'Valid until',
                    cell: ({ expires_at, expired }) => (expired ? 'expired' : formatInstant(expires_at)),
                  },
                ]}
              />
            )
          }
        </Loaded>
      </Card>
    </>
  )
}
