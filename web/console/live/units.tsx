import { useState } from 'preact/hooks'
import { count } from '../format.ts'
import { CommandDialog } from '../parts/command.tsx'
import { Field } from '../parts/field.tsx'
import { wholeNumber } from '../typed.ts'
import type { Product, ReconcileRun } from '../shapes.ts'

/** After a count in the warehouse. */
export function Units({
  product,
  onDone,
  onClose,
}: {
  product: Product
  onDone: () => void
  onClose: () => void
}) {
  const [units, setUnits] = useState(String(product.units))
  const wanted = wholeNumber(units) ?? NaN
  const valid = wanted <= 10_000_000
  return (
    <CommandDialog<ReconcileRun>
      title={`How many ${product.name} are there?`}
      explain="All units of this sale, those already sold included: after a count in the warehouse. If that is fewer than are sold and held, the item is oversold and the screen Oversell says which orders that hits."
      method="PUT"
      path={`/items/${product.id}/units`}
      body={{ units: wanted }}
      valid={valid}
      button="Set the units"
      effect={({ outcome }) =>
        outcome === 'oversold'
          ? `${product.name} is oversold now: see the screen Oversell.`
          : `There are ${count(wanted)} units of ${product.name}.`
      }
      onDone={onDone}
      onClose={onClose}
    >
      <Field
        label="Units in all"
        value={units}
        onInput={setUnits}
        inputMode="numeric"
        error={valid ? undefined : 'A whole number from 0 to 10,000,000.'}
        focus
      />
    </CommandDialog>
  )
}
