import { count, formatMoney } from '../format.ts'
import { DialogButton } from '../parts/command.tsx'
import { Card } from '../parts/page.tsx'
import { ChangePicture } from './picture.tsx'
import { Units } from './units.tsx'
import type { LiveSample, Product, SaleWithProducts } from '../shapes.ts'

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
              <img src={product.picture.path} alt="" width="48" height="48" />
              <div class="stock-text">
                <div class="stock-head">
                  <span>
                    <strong>{product.name}</strong>{' '}
                    <span class="quiet">{formatMoney(product.amount, product.currency)}</span>
                  </span>
                  <span class="stock-actions">
                    <DialogButton label="Picture" of={product.name} kind="link">
                      {(close) => <ChangePicture product={product} onDone={onChanged} onClose={close} />}
                    </DialogButton>
                    <DialogButton label="Correct units" of={product.name} kind="link" role="admin">
                      {(close) => <Units product={product} onDone={onChanged} onClose={close} />}
                    </DialogButton>
                  </span>
                </div>
                <Bar product={product} stock={stock} />
              </div>
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
