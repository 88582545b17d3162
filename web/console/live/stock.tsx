import { useState } from 'preact/hooks'
import { count, formatMoney } from '../format.ts'
import { CommandDialog, DialogButton } from '../parts/command.tsx'
import { Field } from '../parts/field.tsx'
import { Card } from '../parts/page.tsx'
import type { LiveSample, Product, ReconcileRun, SaleWithProducts } from '../shapes.ts'

type ItemStock = LiveSample['items'][number]

/** Each product's units, as they are right now: a bar, and the numbers beside it. */
export function StockCard({
  sale,
  sample,
  onChanged,
}: {
  sale: SaleWithProducts
  sample: LiveSample | undefined
  onChanged: () => void
}) {
  return (
    <Card title="Stock">
      <ul class="stock">
        {sale.products.map((product) => {
          const stock = sample?.items.find(({ item_id }) => item_id === product.id)
          return (
            <li key={product.id}>
              <div class="stock-head">
                <span>
                  <strong>{product.name}</strong>{' '}
                  <span class="quiet">{formatMoney(product.amount, product.currency)}</span>
                </span>
                <DialogButton label="Correct" kind="link" role="admin">
                  {(close) => <Units product={product} onDone={onChanged} onClose={close} />}
                </DialogButton>
              </div>
              <Bar product={product} stock={stock} />
            </li>
          )
        })}
      </ul>
    </Card>
  )
}

function Bar({ product, stock }: { product: Product; stock: ItemStock | undefined }) {
  if (stock === undefined) return <p class="quiet small">{count(product.units)} units</p>
  const { available, held, sold, total } = stock
  const parts = [
    { name: 'sold', n: sold },
    { name: 'held', n: held },
    { name: 'available', n: available },
  ] as const
  return (
    <>
      <div class="bar" aria-hidden="true">
        {parts.map(({ name, n }) => (
          <span key={name} class={name} style={{ flexGrow: n, display: n === 0 ? 'none' : undefined }} />
        ))}
      </div>
      <dl class="stock-numbers">
        {[...parts].reverse().map(({ name, n }) => (
          <div key={name}>
            <dt>
              <span class={`swatch ${name}`} />
              {name}
            </dt>
            <dd>{count(n)}</dd>
          </div>
        ))}
        <div>
          <dt>in all</dt>
          <dd>{count(total)}</dd>
        </div>
      </dl>
    </>
  )
}

function Units({ product, onDone, onClose }: { product: Product; onDone: () => void; onClose: () => void }) {
  const [units, setUnits] = useState(String(product.units))
  const wanted = Number(units)
  const valid = units.trim() !== '' && Number.isInteger(wanted) && wanted >= 0 && wanted <= 10_000_000
  return (
    <CommandDialog<ReconcileRun>
      title={`How many ${product.name} are there?`}
      explain="All units of this sale, those already sold included: after a count in the warehouse. If that is fewer than are sold and held, the item is oversold and the screen Oversell says which orders that hits."
      method="PUT"
      path={`/items/${product.id}/units`}
      body={{ units: wanted }}
      valid={valid}
      button="Set the units"
      effect={({ outcome }) =>
        outcome === 'oversold'
          ? `${product.name} is oversold now: see the screen Oversell.`
          : `There are ${count(wanted)} units of ${product.name}.`
      }
      onDone={onDone}
      onClose={onClose}
    >
      <Field
        label="Units in all"
        value={units}
        onInput={setUnits}
        inputMode="numeric"
        error={valid ? undefined : 'A whole number from 0 to 10,000,000.'}
        focus
      />
    </CommandDialog>
  )
}
