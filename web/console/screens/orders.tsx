import { useEffect, useState } from 'preact/hooks'
import { BASE, call, type Refused, useLoad } from '../api.ts'
import { formatInstant, formatMoney, number, words } from '../format.ts'
import { Field, Select } from '../parts/field.tsx'
import { Badge, Head } from '../parts/page.tsx'
import { Empty, Loading, Trouble } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { place, setQuery } from '../route.ts'
import type { FoundOrder, Sale } from '../shapes.ts'

const STATUSES = [
  { value: '', label: 'All' },
  { value: 'PENDING', label: 'Pending' },
  { value: 'PAID', label: 'Paid' },
  { value: 'FAILED', label: 'Failed' },
]
/** Typing is over after so long. */
const TYPED_MS = 300

/** All orders that fit the filters, which stand in the address; the newest first. */
export function Orders() {
  const { query } = place.use()
  const sales = useLoad<{ sales: Sale[] }>('/sales')
  const chosen = {
    sale: query.get('sale') ?? '',
    item: query.get('item') ?? '',
    status: query.get('status') ?? '',
    q: query.get('q') ?? '',
    from: query.get('from') ?? '',
    to: query.get('to') ?? '',
  }
  const choose = (changed: Partial<typeof chosen>) => setQuery({ ...chosen, ...changed })
  const search = searchOf(chosen)
  return (
    <>
      <Head
        title="Orders"
        lead="As SQL has them, of every sale and buyer."
        actions={
          <a class="button quiet" href={`${BASE}/orders.csv?${search}`} download>
            Download as CSV
          </a>
        }
      />
      <div class="filters" role="search">
        <Select
          label="Sale"
          value={chosen.sale}
          onInput={(sale) => choose({ sale })}
          choices={[
            { value: '', label: 'All' },
            ...(sales.body?.sales ?? []).map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
        <Select
          label="Status"
          value={chosen.status}
          onInput={(status) => choose({ status })}
          choices={STATUSES}
        />
        <Field label="Item" type="search" value={chosen.item} onInput={(item) => choose({ item })} />
        <Field label="From" type="datetime-local" value={chosen.from} onInput={(from) => choose({ from })} />
        <Field label="To" type="datetime-local" value={chosen.to} onInput={(to) => choose({ to })} />
        <Field
          label="Search"
          type="search"
          value={chosen.q}
          onInput={(q) => choose({ q })}
          hint="An order, a buyer, a payment or a mail address, or how it begins (six characters)."
        />
      </div>
      <Found search={search} />
    </>
  )
}

interface Page {
  readonly orders: readonly FoundOrder[]
  readonly next: string | null
  readonly incomplete: boolean
}

/** What the server is asked; the two moments are local in the fields and in the address. */
function searchOf(chosen: Readonly<Record<string, string>>): string {
  const given = Object.entries(chosen).filter(([, value]) => value.trim() !== '')
  const asked = given.map(([name, value]) =>
    name === 'from' || name === 'to' ? [name, String(new Date(value).getTime())] : [name, value.trim()],
  )
  return new URLSearchParams(asked).toString()
}

/** What fits, a page at a time. */
function Found({ search }: { search: string }) {
  const [orders, setOrders] = useState<readonly FoundOrder[]>()
  const [next, setNext] = useState<string | null>(null)
  const [incomplete, setIncomplete] = useState(false)
  const [refused, setRefused] = useState<Refused>()
  const load = async (cursor?: string) => {
    const more = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`
    return call<Page>(`/orders?${search}${more}`)
  }
  useEffect(() => {
    let current = true
    const timer = setTimeout(() => {
      void load().then((answer) => {
        if (!current) return
        setRefused(answer.kind === 'ok' ? undefined : answer)
        if (answer.kind === 'ok') {
          setOrders(answer.body.orders)
          setNext(answer.body.next)
          setIncomplete(answer.body.incomplete)
        }
      })
    }, TYPED_MS)
    return () => {
      current = false
      clearTimeout(timer)
    }
  }, [search])
  const showMore = async () => {
    const answer = await load(next ?? undefined)
    setRefused(answer.kind === 'ok' ? undefined : answer)
    if (answer.kind !== 'ok') return
    setOrders((before) => [...(before ?? []), ...answer.body.orders])
    setNext(answer.body.next)
  }
  if (refused) return <Trouble refused={refused} />
  if (orders === undefined) return <Loading />
  return (
    <>
      {incomplete ? <p class="banner bad">A database does not answer: its orders are missing here.</p> : null}
      {orders.length === 0 ? <Empty title="No order fits." /> : <OrderTable orders={orders} />}
      <p class="more">
        <span class="quiet small">{number(orders.length)} shown.</span>{' '}
        {next === null ? null : (
          <button type="button" class="quiet" onClick={() => void showMore()}>
            Show more
          </button>
        )}
      </p>
    </>
  )
}

function OrderTable({ orders }: { orders: readonly FoundOrder[] }) {
  return (
    <Table<FoundOrder>
      label="Orders"
      rows={orders}
      keyOf={({ order_id }) => order_id}
      columns={[
        { head: 'Made', cell: ({ created_at }) => <time class="nowrap">{formatInstant(created_at)}</time> },
        {
          head: 'Order',
          cell: ({ order_id }) => (
            <a href={`/orders/${order_id}`}>
              <code>{order_id}</code>
            </a>
          ),
        },
        {
          head: 'Status',
          cell: ({ status, failure_reason }) => (
            <>
              <Badge of={status}>{words(status)}</Badge>{' '}
              {failure_reason === null ? null : <span class="small">{words(failure_reason)}</span>}
            </>
          ),
        },
        { head: 'Item', cell: ({ item_id }) => item_id },
        { head: 'Units', numeric: true, cell: ({ quantity }) => number(quantity) },
        {
          ...{ head: 'Amount', numeric: true },
          cell: ({ amount, currency }) => formatMoney(amount, currency),
        },
        { head: 'Payment', cell: ({ payment }) => (payment === null ? '' : words(payment.state)) },
        { head: 'Mail address', cell: ({ email }) => email ?? '' },
        { head: 'Sale', cell: ({ sale_id }) => <a href={`/sales/${sale_id}`}>{sale_id}</a> },
      ]}
    />
  )
}
