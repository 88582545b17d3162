import { useState } from 'preact/hooks'
import { number } from '../format.ts'
import { CommandDialog } from '../parts/command.tsx'
import { Field } from '../parts/field.tsx'
import { decimal, wholeNumber } from '../typed.ts'
import type { SaleWithProducts } from '../shapes.ts'

/** Rate, cap and message: what is set while a sale runs. */
interface DialogProps {
  readonly sale: SaleWithProducts
  readonly onDone: (sale: SaleWithProducts) => void
  readonly onClose: () => void
}

export function Rate({ sale, onDone, onClose }: DialogProps) {
  const [rate, setRate] = useState(String(sale.rate_per_second))
  const wanted = decimal(rate) ?? NaN
  const valid = wanted >= 0.001 && wanted <= 1_000_000
  return (
    <CommandDialog<SaleWithProducts>
      title="How fast are people let in?"
      explain={`Now ${number(sale.rate_per_second)} a second. Lower it when checkout or payment is slow; the line also waits by itself when checkout is full or nothing is left.`}
      method="PUT"
      path={`/sales/${sale.id}/rate`}
      body={{ rate_per_second: wanted }}
      valid={valid}
      button="Set the rate"
      effect={({ rate_per_second }) => `The rate is ${number(rate_per_second)} a second.`}
      onDone={onDone}
      onClose={onClose}
    >
      <Field
        label="People a second"
        value={rate}
        onInput={setRate}
        inputMode="decimal"
        error={valid ? undefined : 'A number from 0.001 to 1,000,000.'}
        focus
      />
    </CommandDialog>
  )
}

export function Cap({ sale, onDone, onClose }: DialogProps) {
  const [cap, setCap] = useState(sale.checkout_cap === null ? '' : String(sale.checkout_cap))
  const wanted = wholeNumber(cap) ?? null
  const valid = wanted === null || (wanted >= 1 && wanted <= 1_000_000)
  return (
    <CommandDialog<SaleWithProducts>
      title="How many may be in checkout at once?"
      explain="When so many are in checkout, the next is let in only when one has bought, given up or run out of time."
      method="PUT"
      path={`/sales/${sale.id}/cap`}
      body={{ checkout_cap: wanted }}
      valid={valid}
      button="Set the cap"
      effect={({ checkout_cap }) =>
        checkout_cap === null ? 'There is no cap.' : `The cap is ${number(checkout_cap)}.`
      }
      onDone={onDone}
      onClose={onClose}
    >
      <Field
        label="People in checkout"
        value={cap}
        onInput={setCap}
        inputMode="numeric"
        optional
        hint="Empty: no cap."
        error={valid ? undefined : 'A whole number from 1 to 1,000,000, or nothing.'}
        focus
      />
    </CommandDialog>
  )
}

export function Message({ sale, onDone, onClose }: DialogProps) {
  const [message, setMessage] = useState(sale.message)
  return (
    <CommandDialog<SaleWithProducts>
      title="Message to everybody who waits"
      explain="It stands in the waiting room within a second or two, exactly as you type it."
      method="PUT"
      path={`/sales/${sale.id}/message`}
      body={{ message: message.trim() }}
      button={message.trim() === '' ? 'Take it away' : 'Show it'}
      effect={({ message: shown }) =>
        shown === '' ? 'No message is shown.' : `Everybody who waits reads: ${shown}`
      }
      onDone={onDone}
      onClose={onClose}
    >
      <Field
        label="Message"
        value={message}
        onInput={setMessage}
        lines={3}
        maxLength={500}
        optional
        hint={`${500 - message.length} characters left. Empty: no message.`}
        focus
      />
    </CommandDialog>
  )
}
