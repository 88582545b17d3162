import { useId } from 'preact/hooks'
import { Field, Radios, Select } from '../parts/field.tsx'
import { Card } from '../parts/page.tsx'
import type { SaleDraft } from './draft.ts'
import { DraftField, type SectionProps } from './sections.tsx'

const SWITCHES = [
  [
    'proof_of_work',
    'Proof of work',
    "Each browser solves a small puzzle before it joins: bots pay with their machines' time.",
  ],
  ['limits', 'Limits', 'So many joins and claims from one address, network, browser or buyer.'],
  ['risk', 'Risk score', 'Visitors that look like bots get a harder puzzle or a question.'],
  ['captcha', 'Question', 'The most suspicious are asked a question, or the CAPTCHA that is set up.'],
  ['decoy', 'Decoy', 'A suspected bot gets a place in a line that leads nowhere. It may wrong somebody.'],
] as const

/** Against bots. */
export function GuardSection({ draft, change, fixed }: SectionProps) {
  return (
    <Card title="Against bots">
      <p class="quiet small">Good as it is for most sales.</p>
      {SWITCHES.map(([name, label, hint]) => (
        <Check
          key={name}
          label={label}
          hint={hint}
          checked={draft[name]}
          disabled={fixed.has('guard')}
          onChange={(on) => change({ [name]: on })}
        />
      ))}
    </Card>
  )
}

function Check({
  label,
  hint,
  checked,
  disabled,
  onChange,
}: {
  label: string
  hint: string
  checked: boolean
  disabled: boolean
  onChange: (checked: boolean) => void
}) {
  const id = useId()
  return (
    <label class="radio" for={id}>
      <input
        id={id}
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>
        <strong>{label}</strong>
        <span class="hint">{hint}</span>
      </span>
    </label>
  )
}

/** When more was sold than there is, and what those who wait read. */
export function OversellSection(props: SectionProps) {
  const { draft, errors, change, fixed } = props
  return (
    <Card title="If more is sold than there is">
      <p class="quiet small">
        A pallet is missing, a count was wrong: the last orders are cancelled and refunded, and their buyers
        get a gift card.
      </p>
      <Radios
        label="Who approves that?"
        value={draft.approval}
        disabled={fixed.has('oversell')}
        onInput={(approval) => change({ approval: approval as SaleDraft['approval'] })}
        choices={[
          { value: 'one_person', label: 'One admin' },
          { value: 'two_persons', label: 'Two different admins' },
          { value: 'automatic', label: 'Nobody', hint: 'It happens as soon as it is seen.' },
        ]}
      />
      <div class="grid">
        <Select
          label="Gift card"
          value={draft.gift}
          disabled={fixed.has('oversell')}
          onInput={(gift) => change({ gift: gift as SaleDraft['gift'] })}
          choices={[
            { value: 'share', label: 'A share of the price' },
            { value: 'amount', label: 'One amount for everybody' },
          ]}
        />
        <Field
          label={draft.gift === 'share' ? 'Share' : 'Amount'}
          unit={draft.gift === 'share' ? '% of the price' : (draft.products[0]?.currency ?? '')}
          value={draft.gift_value}
          error={errors['oversell.gift_card']}
          disabled={fixed.has('oversell')}
          onInput={(gift_value) => change({ gift_value })}
          inputMode="decimal"
        />
        <Field
          label="Valid for"
          unit="days"
          value={draft.valid_days}
          error={errors['oversell.valid_days']}
          disabled={fixed.has('oversell')}
          onInput={(valid_days) => change({ valid_days })}
          inputMode="numeric"
        />
      </div>
    </Card>
  )
}

export function MessageSection(props: SectionProps) {
  return (
    <Card title="Message">
      <DraftField
        of="message"
        props={props}
        label="Shown to everybody who waits"
        lines={2}
        maxLength={500}
        optional
        hint="It can be changed while the sale runs."
      />
    </Card>
  )
}
