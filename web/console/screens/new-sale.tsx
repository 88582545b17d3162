import { useState } from 'preact/hooks'
import { config } from '../../lib/config.ts'
import { newDraft, toRequest, type SaleDraft } from '../editor/draft.ts'
import { SaleForm } from '../editor/form.tsx'
import { CommandDialog, LookOnly } from '../parts/command.tsx'
import { Head } from '../parts/page.tsx'
import { go } from '../route.ts'
import { useMay } from '../session.ts'
import type { SaleWithProducts } from '../shapes.ts'

export function NewSale() {
  const [initial] = useState(() => newDraft(Date.now()))
  const may = useMay('operator')
  return (
    <>
      <Head
        title="New sale"
        above={<a href="/">Sales</a>}
        lead="Name it, add what is sold, choose a time: the rest is set so that it works, and each setting says what it does."
      />
      <LookOnly />
      {may ? (
        <SaleForm
          initial={initial}
          isNew
          button="Review and create"
          review={(draft, summary, close) => <Create draft={draft} summary={summary} onClose={close} />}
        />
      ) : null}
    </>
  )
}

function Create({
  draft,
  summary,
  onClose,
}: {
  draft: SaleDraft
  summary: readonly string[]
  onClose: () => void
}) {
  return (
    <CommandDialog<SaleWithProducts>
      title={`Create ${draft.name.trim()}?`}
      explain={
        <>
          <ul class="sentences">
            {summary.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
          <p class="small">
            Buyers will find it at <code>{`${config.queue_url}/${draft.id}`}</code> and in the shop.
          </p>
        </>
      }
      path="/sales"
      body={toRequest(draft)}
      button="Create the sale"
      effect={({ name }) => `${name} is created.`}
      onDone={({ id }) => go(`/sales/${id}`)}
      onClose={onClose}
    />
  )
}
