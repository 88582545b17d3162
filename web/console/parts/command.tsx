import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { call, type Refused } from '../api.ts'
import { useMay, type Role } from '../session.ts'
import { Dialog } from './dialog.tsx'
import { Field } from './field.tsx'
import { Trouble } from './states.tsx'
import { say } from './toast.tsx'

interface CommandProps<Answer> {
  readonly title: string
  /** What it does, in a sentence or two. */
  readonly explain: ComponentChildren
  readonly method?: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  /** Sent instead of `body`; the reason then goes into the query. */
  readonly file?: File | undefined
  /** Beside the reason; undefined while something is missing. */
  readonly body?: Readonly<Record<string, unknown>> | undefined
  readonly valid?: boolean
  readonly button: string
  readonly danger?: boolean
  /** To be typed, for what can not be undone. */
  readonly confirm?: string
  /** The effect, told from what the server has answered. */
  readonly effect: (answer: Answer) => string
  readonly onDone: (answer: Answer) => void
  readonly onClose: () => void
  readonly children?: ComponentChildren
}

const withReason = (path: string, reason: string) =>
  `${path}${path.includes('?') ? '&' : '?'}reason=${encodeURIComponent(reason)}`

/** A command to the system: says what it will do, asks for the reason, and tells what has come of it. */
export function CommandDialog<Answer>(props: CommandProps<Answer>) {
  const { title, explain, method = 'POST', path, body = {}, valid = true, button, danger, confirm } = props
  const [reason, setReason] = useState('')
  const [typed, setTyped] = useState('')
  const [busy, setBusy] = useState(false)
  const [missing, setMissing] = useState(false)
  const [refused, setRefused] = useState<Refused>()
  const confirmed = confirm === undefined || typed.trim() === confirm
  const send = async () => {
    setMissing(true)
    if (reason.trim() === '' || !confirmed || !valid) return
    setBusy(true)
    const why = reason.trim()
    const answer = await (props.file
      ? call<Answer>(withReason(path, why), { method, body: props.file })
      : call<Answer>(path, { method, body: { ...body, reason: why } }))
    setBusy(false)
    if (answer.kind !== 'ok') return setRefused(answer)
    say(props.effect(answer.body))
    props.onDone(answer.body)
    props.onClose()
  }
  return (
    <Dialog title={title} onClose={props.onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          void send()
        }}
      >
        <div class="explain">{explain}</div>
        {props.children}
        <Field
          label="Reason"
          value={reason}
          onInput={setReason}
          maxLength={500}
          hint="Kept in the audit log with your name."
          error={missing && reason.trim() === '' ? 'Say why, in a few words.' : undefined}
        />
        {confirm === undefined ? null : (
          <Field
            label={`Type ${confirm} to confirm`}
            value={typed}
            onInput={setTyped}
            autocomplete="off"
            error={missing && !confirmed ? `This can not be undone: type ${confirm}.` : undefined}
          />
        )}
        {refused === undefined ? null : <Trouble refused={refused} />}
        <div class="actions">
          <button type="submit" class={danger ? 'danger' : undefined} disabled={busy}>
            {busy ? 'Sending …' : button}
          </button>
          <button type="button" class="quiet" onClick={props.onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  )
}

/** A button that opens a dialog, for those who may give its command. */
export function DialogButton({
  label,
  role = 'operator',
  kind = 'quiet',
  disabled = false,
  of,
  children,
}: {
  label: string
  /** What it is about, for who does not see where it stands. */
  of?: string
  role?: Role
  kind?: 'quiet' | 'danger' | 'main' | 'link'
  disabled?: boolean
  children: (close: () => void) => ComponentChildren
}) {
  const [open, setOpen] = useState(false)
  const may = useMay(role)
  return (
    <>
      <button
        type="button"
        class={kind === 'main' ? undefined : kind}
        disabled={disabled || !may}
        title={may ? undefined : `Needs the role ${role}`}
        onClick={() => setOpen(true)}
      >
        {label}
        {of === undefined ? null : <span class="unseen"> of {of}</span>}
      </button>
      {open ? children(() => setOpen(false)) : null}
    </>
  )
}

/** For the screens of those who may only look. */
export function LookOnly({ role = 'operator' }: { role?: Role }) {
  return useMay(role) ? null : (
    <p class="banner">You may look at this, not change it: that needs the role {role}.</p>
  )
}
