import { useState } from 'preact/hooks'
import { number } from '../format.ts'
import { CommandDialog } from '../parts/command.tsx'
import { Field } from '../parts/field.tsx'
import { slug } from '../editor/draft.ts'
import { decimal, wholeNumber } from '../typed.ts'
import type { SaleWithProducts } from '../shapes.ts'

/** A lane of its own for those who have a code: members, the press, people with a disability. */
export function AddGroup({ sale, onClose }: { sale: SaleWithProducts; onClose: () => void }) {
  const [name, setName] = useState('')
  const [code, setCode] = useState('')
  const [rate, setRate] = useState('5')
  const [places, setPlaces] = useState('')
  const [wantedRate, wantedPlaces] = [decimal(rate) ?? NaN, wholeNumber(places) ?? null]
  const valid =
    slug(name) !== '' &&
    code.trim().length >= 4 &&
    wantedRate > 0 &&
    (wantedPlaces === null || wantedPlaces >= 1)
  return (
    <CommandDialog<{ id: string }>
      title="A lane for those who have a code"
      explain="Whoever types the code in the waiting room stands in a line of its own, beside the main one. Nobody who waits already is moved back."
      path={`/sales/${sale.id}/groups`}
      body={{
        ...{ id: slug(name), name: name.trim(), code: code.trim() },
        ...{ rate_per_second: wantedRate, places: wantedPlaces },
      }}
      valid={valid}
      button="Add the lane"
      effect={({ id }) => `The lane ${id} lets in ${number(wantedRate)} a second.`}
      onDone={() => undefined}
      onClose={onClose}
    >
      <Field label="Name" value={name} onInput={setName} maxLength={200} focus />
      <Field
        label="Code"
        value={code}
        onInput={setCode}
        maxLength={64}
        autocomplete="off"
        hint="Four characters or more; give it to the members alone. It is kept as a hash."
      />
      <Field label="People let in" unit="a second" value={rate} onInput={setRate} inputMode="decimal" />
      <Field
        label="Places"
        value={places}
        onInput={setPlaces}
        inputMode="numeric"
        optional
        hint="Most people that may join. Empty: no limit."
      />
    </CommandDialog>
  )
}
