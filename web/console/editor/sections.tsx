import type { ComponentChildren } from 'preact'
import { duration, TIME_ZONE } from '../format.ts'
import { Field, Radios } from '../parts/field.tsx'
import { Card } from '../parts/page.tsx'
import type { Errors } from './check.ts'
import type { SaleDraft } from './draft.ts'

export interface SectionProps {
  readonly draft: SaleDraft
  readonly errors: Errors
  readonly change: (changed: Partial<SaleDraft>) => void
  /** What may not be changed any more. */
  readonly fixed: ReadonlySet<string>
  readonly isNew: boolean
}

type TextField = { [K in keyof SaleDraft]: SaleDraft[K] extends string ? K : never }[keyof SaleDraft]

/** A field of the draft, by its name. */
export function DraftField({
  of,
  props: { draft, errors, change, fixed },
  ...rest
}: {
  of: TextField
  props: SectionProps
  label: string
  hint?: ComponentChildren
  optional?: boolean
  type?: 'text' | 'datetime-local'
  unit?: string
  lines?: number
  maxLength?: number
  inputMode?: 'numeric' | 'decimal'
}) {
  return (
    <Field
      {...rest}
      value={draft[of]}
      error={errors[of]}
      disabled={fixed.has(of)}
      onInput={(value) => change({ [of]: value })}
    />
  )
}

/** "600" as "10 min", beside a number of seconds. */
const inWords = (seconds: string) => (Number(seconds) >= 60 ? ` That is ${duration(Number(seconds))}.` : '')

export function Times(props: SectionProps) {
  const { draft, change, fixed, isNew } = props
  return (
    <Card title="When">
      <p class="quiet small">All times are in your time zone, {TIME_ZONE}.</p>
      {isNew ? (
        <Radios
          label="Opening"
          value={draft.opens}
          onInput={(opens) => change({ opens: opens as SaleDraft['opens'] })}
          choices={[
            { value: 'at', label: 'At a set time', hint: 'People gather in the waiting room before it.' },
            { value: 'now', label: 'At once', hint: 'As soon as it is created.' },
          ]}
        />
      ) : null}
      <div class="grid">
        {draft.opens === 'at' ? (
          <DraftField of="opens_at" props={props} label="Opens" type="datetime-local" />
        ) : null}
        <DraftField
          of="ends_at"
          props={props}
          label="Ends"
          type="datetime-local"
          optional
          hint="Empty: when you end it."
        />
        <DraftField
          of="lobby_opens_at"
          props={props}
          label="People may join from"
          type="datetime-local"
          optional
          hint="Empty: from the creation on."
        />
        <DraftField
          of="post_sale_at"
          props={props}
          label="After-sale page from"
          type="datetime-local"
          optional
          hint="When the page becomes the one of a sale that is over."
        />
      </div>
      <Radios
        label="Who comes first, of those who joined before the opening?"
        value={draft.order}
        disabled={fixed.has('order')}
        onInput={(order) => change({ order: order as SaleDraft['order'] })}
        choices={[
          { value: 'fifo', label: 'Who joined first', hint: 'First come, first served.' },
          {
            value: 'draw',
            label: 'A draw',
            hint: 'Everybody has the same chance, however early they came; anybody can verify it.',
          },
        ]}
      />
    </Card>
  )
}

export function Pace(props: SectionProps) {
  return (
    <Card title="How fast">
      <div class="grid">
        <DraftField
          of="rate_per_second"
          props={props}
          label="People let in"
          unit="a second"
          inputMode="decimal"
          hint="As many as your checkout and payment can take. It can be changed while the sale runs."
        />
        <DraftField
          of="checkout_cap"
          props={props}
          label="Most people in checkout at once"
          optional
          inputMode="numeric"
          hint="Empty: no cap. It can be changed while the sale runs."
        />
      </div>
      <details>
        <summary>More about the pace</summary>
        <div class="grid">
          <DraftField
            of="checkouts_per_unit"
            props={props}
            label="People in checkout for each available unit"
            inputMode="decimal"
            hint="Some leave without buying; with 3, the last units are still sold fast and few come in vain."
          />
          <DraftField
            of="standby_threshold"
            props={props}
            label="Queue only beyond"
            unit="arrivals a second"
            optional
            inputMode="numeric"
            hint="Until then everybody walks straight through. Empty: there is always a queue."
          />
          <DraftField
            of="turn_s"
            props={props}
            label="A turn waits for"
            unit="seconds"
            inputMode="decimal"
            hint={`How long somebody whose turn has come may be away.${inWords(props.draft.turn_s)}`}
          />
          <DraftField
            of="pass_s"
            props={props}
            label="Time to choose"
            unit="seconds"
            inputMode="decimal"
            hint={`From being let in to taking a unit.${inWords(props.draft.pass_s)}`}
          />
        </div>
      </details>
    </Card>
  )
}

export function Paying(props: SectionProps) {
  const { draft } = props
  return (
    <Card title="Paying">
      <div class="grid">
        <DraftField
          of="payment_window_s"
          props={props}
          label="Time to pay"
          unit="seconds"
          inputMode="decimal"
          hint={`Then the order fails.${inWords(draft.payment_window_s)}`}
        />
        <DraftField
          of="hold_s"
          props={props}
          label="A unit is held for"
          unit="seconds"
          inputMode="decimal"
          hint={`At least as long as the time to pay; then it goes to the next.${inWords(draft.hold_s)}`}
        />
      </div>
    </Card>
  )
}
