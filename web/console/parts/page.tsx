import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'

/** The head of a screen: where one is, and what can be done. It also names the tab. */
export function Head({
  title,
  lead,
  above,
  beside,
  actions,
}: {
  title: string
  lead?: ComponentChildren
  above?: ComponentChildren
  beside?: ComponentChildren
  actions?: ComponentChildren
}) {
  useEffect(() => {
    document.title = `${title} · Doorbuster console`
  }, [title])
  return (
    <header class="head">
      <div class="head-text">
        {above ? <p class="above">{above}</p> : null}
        <div class="head-line">
          <h1 tabIndex={-1}>{title}</h1>
          {beside}
        </div>
        {lead ? <p class="lead">{lead}</p> : null}
      </div>
      {actions ? <div class="actions">{actions}</div> : null}
    </header>
  )
}

export function Card({
  title,
  actions,
  children,
}: {
  title?: string
  actions?: ComponentChildren
  children: ComponentChildren
}) {
  return (
    <section class="card">
      {title ? (
        <div class="card-head">
          <h2>{title}</h2>
          {actions}
        </div>
      ) : null}
      {children}
    </section>
  )
}

/** The phase of a sale, an outcome, a state: a word in a colour, the word first. */
export function Badge({ of, children }: { of: string; children: ComponentChildren }) {
  return (
    <span class="badge" data-of={of}>
      {children}
    </span>
  )
}
