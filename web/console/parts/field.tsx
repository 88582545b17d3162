import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

interface FieldProps {
  readonly label: string
  readonly value: string
  readonly onInput: (value: string) => void
  /** What it is for, in a sentence. */
  readonly hint?: ComponentChildren
  readonly error?: string | undefined
  readonly type?: 'text' | 'password' | 'datetime-local' | 'search'
  readonly optional?: boolean
  readonly disabled?: boolean
  readonly unit?: string
  readonly maxLength?: number
  readonly autocomplete?: string
  readonly inputMode?: 'numeric' | 'decimal' | 'text'
  readonly lines?: number
  readonly name?: string
  readonly focus?: boolean
}

/** A labelled input, with its hint and what is wrong with it tied to it for screen readers. */
export function Field(props: FieldProps) {
  const { label, value, onInput, hint, error, type = 'text', optional, unit, lines, focus, ...rest } = props
  const id = useId()
  // The types of inputs tell which attributes go with which type; these go with all of ours.
  const kind = type as 'text'
  const about = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  const attributes = {
    ...rest,
    id,
    value,
    'aria-describedby': about || undefined,
    'aria-invalid': error ? true : undefined,
    autoFocus: focus,
    onInput: (event: { currentTarget: { value: string } }) => onInput(event.currentTarget.value),
  }
  return (
    <div class={error ? 'field wrong' : 'field'}>
      <label for={id}>
        {label}
        {optional ? <span class="quiet"> (optional)</span> : null}
      </label>
      {lines ? (
        <textarea rows={lines} {...attributes} />
      ) : unit ? (
        <span class="with-unit">
          <input {...attributes} type={kind} />
          <span class="unit">{unit}</span>
        </span>
      ) : (
        <input {...attributes} type={kind} />
      )}
      {error ? (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      ) : null}
      {hint ? (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
    </div>
  )
}

export interface Choice {
  readonly value: string
  readonly label: string
  readonly hint?: string
}

export function Select({
  label,
  value,
  choices,
  onInput,
  hint,
  disabled = false,
}: {
  label: string
  value: string
  choices: readonly Choice[]
  onInput: (value: string) => void
  hint?: string
  disabled?: boolean
}) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value}
        disabled={disabled}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onInput(event.currentTarget.value)}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.label}
          </option>
        ))}
      </select>
      {hint ? (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
    </div>
  )
}

/** A few choices, each told in a sentence. */
export function Radios({
  label,
  value,
  choices,
  onInput,
  disabled = false,
}: {
  label: string
  value: string
  choices: readonly Choice[]
  onInput: (value: string) => void
  disabled?: boolean
}) {
  const name = useId()
  return (
    <fieldset class="radios" disabled={disabled}>
      <legend>{label}</legend>
      {choices.map((choice) => (
        <label key={choice.value} class="radio">
          <input
            type="radio"
            name={name}
            value={choice.value}
            checked={choice.value === value}
            onChange={() => onInput(choice.value)}
          />
          <span>
            <strong>{choice.label}</strong>
            {choice.hint ? <span class="hint">{choice.hint}</span> : null}
          </span>
        </label>
      ))}
    </fieldset>
  )
}
