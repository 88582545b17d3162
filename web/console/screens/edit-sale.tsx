import { useState } from 'preact/hooks'
import { PRODUCT_FIELDS, SALE_FIELDS } from '../../../src/contracts/sale-editing.ts'
import { useLoad } from '../api.ts'
import type { SaleDraft } from '../editor/draft.ts'
import { changesIn, draftOf } from '../editor/edit.ts'
import { SaleForm } from '../editor/form.tsx'
import { CommandDialog, LookOnly } from '../parts/command.tsx'
import { Head } from '../parts/page.tsx'
import { Loaded } from '../parts/states.tsx'
import { go } from '../route.ts'
import { useMay } from '../session.ts'
import type { OperatorSale } from '../shapes.ts'

/** Why some fields are fixed, by how far the sale is. */
const STAGES: Readonly<Record<OperatorSale['stage'], string>> = {
  planned: 'Nobody can have joined yet: everything may be changed.',
  lobby:
    'People can be in the waiting room: what they came for stays as it is, the order of the line for instance. The number of units is corrected on the screen of the sale.',
  selling:
    'The sale has opened: prices and everything else that buyers have been promised stay as they are. Rate, cap, times to pay and texts may still be changed.',
  over: 'The sale is over: only its texts may still be changed.',
}

export function EditSale({ id }: { id: string }) {
  const sale = useLoad<OperatorSale>(`/sales/${id}`)
  const may = useMay('operator')
  return (
    <>
      <Head
        title="Edit"
        above={<a href={`/sales/${id}`}>{sale.body?.name ?? id}</a>}
        lead={sale.body && STAGES[sale.body.stage]}
      />
      <LookOnly />
      <Loaded load={sale}>{(found) => (may ? <Form sale={found} /> : null)}</Loaded>
    </>
  )
}

function Form({ sale }: { sale: OperatorSale }) {
  // What is typed is compared with what was there when the screen was opened.
  const [initial] = useState(() => draftOf(sale))
  const { editable, editable_products, accepts_products } = sale
  return (
    <SaleForm
      initial={initial}
      fixed={without(Object.keys(SALE_FIELDS), editable)}
      fixedProducts={{
        fields: without(Object.keys(PRODUCT_FIELDS), editable_products),
        noMore: !accepts_products,
      }}
      button="Review the changes"
      review={(draft, _summary, close) => (
        <Change id={sale.id} initial={initial} draft={draft} onClose={close} />
      )}
    />
  )
}

function without(all: readonly string[], allowed: readonly string[]): ReadonlySet<string> {
  return new Set(all.filter((field) => !allowed.includes(field)))
}

function Change({
  id,
  initial,
  draft,
  onClose,
}: {
  id: string
  initial: SaleDraft
  draft: SaleDraft
  onClose: () => void
}) {
  const { edit, lines } = changesIn(initial, draft)
  const nothing = Object.keys(edit).length === 0
  return (
    <CommandDialog<OperatorSale>
      title="Change the sale?"
      explain={
        nothing ? (
          'Nothing is different from what it was.'
        ) : (
          <ul class="sentences">
            {lines.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        )
      }
      method="PUT"
      path={`/sales/${id}`}
      body={edit}
      valid={!nothing}
      button="Change it"
      effect={({ name }) => `${name} is changed.`}
      onDone={() => go(`/sales/${id}`)}
      onClose={onClose}
    />
  )
}
