import type { ComponentChildren } from 'preact'
import { explain, type Load, type Refused } from '../api.ts'

/** A refusal, told so that one knows what to do. */
export function Trouble({ refused, retry }: { refused: Refused; retry?: (() => void) | undefined }) {
  const tooLow = refused.kind === 'problem' && refused.problem.status === 403
  const { title, detail } = explain(refused)
  return (
    <div class="banner bad" role="alert">
      <p>
        <strong>{title}</strong> {detail}
        {tooLow ? ' Ask an admin of this console for a higher role.' : ''}
      </p>
      {retry && !tooLow ? (
        <button type="button" class="quiet" onClick={retry}>
          Try again
        </button>
      ) : null}
    </div>
  )
}

/** Grey lines where content will stand. */
export function Loading({ lines = 4 }: { lines?: number }) {
  return (
    <div class="skeleton" role="status">
      <span class="unseen">Loading</span>
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} />
      ))}
    </div>
  )
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  )
}

/** Shows what was loaded, or why not. An older answer stays on the screen while a newer one fails. */
export function Loaded<Body>({
  load: { body, refused, reload },
  lines,
  children,
}: {
  load: Load<Body>
  lines?: number
  children: (body: Body) => ComponentChildren
}) {
  if (body === undefined)
    return refused === undefined ? (
      <Loading {...(lines ? { lines } : {})} />
    ) : (
      <Trouble refused={refused} retry={reload} />
    )
  return (
    <>
      {refused === undefined ? null : <Trouble refused={refused} retry={reload} />}
      {children(body)}
    </>
  )
}
