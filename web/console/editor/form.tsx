import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { DraftField, Paying, Pace, Times, type SectionProps } from './sections.tsx'
import { GuardSection, MessageSection, OversellSection } from './more-sections.tsx'
import { type FixedProducts, ProductsEditor } from './products.tsx'
import { slug, type SaleDraft } from './draft.ts'
import { summaryOf } from './summary.ts'
import { useCheck } from './use-check.ts'
import { useNow } from '../parts/now.ts'
import { Card } from '../parts/page.tsx'
import { Field } from '../parts/field.tsx'

const NO_ERRORS = {}
const NOTHING: ReadonlySet<string> = new Set()

/**
 * The whole form. What is wrong is told at the fields once it was to be sent; `review` then shows the dialog that
 * sends it.
 */
export function SaleForm({
  initial,
  fixed = NOTHING,
  fixedProducts = { fields: NOTHING, noMore: false },
  isNew = false,
  button,
  review,
}: {
  initial: SaleDraft
  fixed?: ReadonlySet<string>
  fixedProducts?: FixedProducts
  isNew?: boolean
  button: string
  review: (draft: SaleDraft, summary: readonly string[], close: () => void) => ComponentChildren
}) {
  const [draft, setDraft] = useState(initial)
  const [tried, setTried] = useState(false)
  const [reviewing, setReviewing] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  const found = useCheck(draft)
  const now = useNow(10_000)
  const summary = summaryOf(draft, now, isNew)
  const errors = tried ? (found ?? NO_ERRORS) : NO_ERRORS
  const wrong = Object.keys(errors).length
  const nothing = !isNew && draft === initial
  useWarning(draft !== initial && !reviewing)

  const change = (changed: Partial<SaleDraft>) => setDraft((before) => ({ ...before, ...changed }))
  const submit = () => {
    setTried(true)
    if (found === undefined) return
    if (Object.keys(found).length === 0) return setReviewing(true)
    // After the errors have been drawn.
    setTimeout(() => {
      const first = form.current?.querySelector<HTMLElement>('[aria-invalid]')
      first?.closest('details')?.setAttribute('open', '')
      first?.focus()
    })
  }
  const props: SectionProps = { draft, errors, change, fixed, isNew }
  return (
    <>
      <form
        ref={form}
        class="editor"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        <div class="editor-fields">
          {isNew ? <Basics {...props} /> : null}
          {isNew ? null : (
            <Card title="The sale">
              <DraftField of="name" props={props} label="Name" maxLength={200} />
            </Card>
          )}
          <Card title="Products">
            <ProductsEditor
              products={draft.products}
              errors={errors}
              fixed={fixedProducts}
              onChange={(products) => change({ products })}
            />
          </Card>
          <Times {...props} />
          <Pace {...props} />
          <Paying {...props} />
          <MessageSection {...props} />
          <GuardSection {...props} />
          <OversellSection {...props} />
        </div>
        <aside class="editor-side">
          <Card title="What will happen">
            <ul class="sentences">
              {summary.map((sentence) => (
                <li key={sentence}>{sentence}</li>
              ))}
            </ul>
            {nothing ? <p class="quiet small">Nothing is changed yet.</p> : null}
            {wrong > 0 ? (
              <p class="banner bad" role="alert">
                {wrong === 1 ? 'One field needs' : `${wrong} fields need`} your attention.
              </p>
            ) : null}
            <button type="submit" class="wide" disabled={found === undefined || nothing}>
              {button}
            </button>
          </Card>
        </aside>
      </form>
      {reviewing ? review(draft, summary, () => setReviewing(false)) : null}
    </>
  )
}

/** Name and address; the id follows the name until somebody types another. */
function Basics({ draft, errors, change }: SectionProps) {
  const rename = (name: string) =>
    change({ name, ...(draft.id === slug(draft.name) ? { id: slug(name) } : {}) })
  return (
    <Card title="The sale">
      <div class="grid">
        <Field
          label="Name"
          value={draft.name}
          onInput={rename}
          error={errors['name']}
          maxLength={200}
          hint="What buyers read."
        />
        <Field
          label="Id"
          value={draft.id}
          onInput={(id) => change({ id })}
          error={errors['id']}
          hint="In its addresses; it can not be changed later."
        />
      </div>
    </Card>
  )
}

/** Asks before a page that has been typed into is left by the browser. */
function useWarning(on: boolean): void {
  useEffect(() => {
    if (!on) return
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', warn)
    return () => removeEventListener('beforeunload', warn)
  }, [on])
}
