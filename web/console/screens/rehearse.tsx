import { useState } from 'preact/hooks'
import { useLoad } from '../api.ts'
import { CommandDialog, DialogButton, LookOnly } from '../parts/command.tsx'
import { Field } from '../parts/field.tsx'
import { Card, Head } from '../parts/page.tsx'
import { Loaded } from '../parts/states.tsx'
import { wholeNumber } from '../typed.ts'
import { go } from '../route.ts'
import type { SaleWithProducts } from '../shapes.ts'

/** A copy of the sale to try everything on, before it counts. */
export function Rehearse({ id }: { id: string }) {
  const sale = useLoad<SaleWithProducts>(`/sales/${id}`)
  return (
    <>
      <Head
        title="Rehearse"
        above={<a href={`/sales/${id}`}>{sale.body?.name ?? id}</a>}
        lead="A rehearsal is a copy of this sale, with the same products, stock, pace and rules, under an id of its own. The shop does not list it; whoever has its address can buy in it."
      />
      <LookOnly />
      <Loaded load={sale}>
        {(found) => (
          <>
            <Card title="1. Make the copy">
              <p>It opens after the time you give, so that you can look at its lobby first.</p>
              <DialogButton label="Create a rehearsal" kind="main">
                {(close) => <Create sale={found} onClose={close} />}
              </DialogButton>
            </Card>
            <Card title="2. Send a crowd">
              <p>On the machine that runs Doorbuster, with the id of the copy:</p>
              <Crowd id="ID-OF-THE-COPY" />
              <p class="small quiet">
                Simulated buyers join, wait, claim and pay in the sandbox; then the outcome is judged. They
                come from one machine, so the copy's guard is switched off for them. Practise the controls
                meanwhile: pause, rate, message.
              </p>
            </Card>
          </>
        )}
      </Loaded>
    </>
  )
}

/** The command that sends simulated buyers to a sale. */
export function Crowd({ id }: { id: string }) {
  return (
    <pre class="command" tabIndex={0} aria-label="Command line">
      npm run rush -- --sale {id} --buyers 500
    </pre>
  )
}

function Create({ sale, onClose }: { sale: SaleWithProducts; onClose: () => void }) {
  const [seconds, setSeconds] = useState('60')
  const wanted = wholeNumber(seconds) ?? NaN
  const valid = wanted <= 86_400
  return (
    <CommandDialog<SaleWithProducts>
      title={`Rehearse ${sale.name}?`}
      explain="The sale itself is not touched: its stock, its line and its time stay as they are."
      path={`/sales/${sale.id}/rehearse`}
      body={{ opens_in_s: wanted }}
      valid={valid}
      button="Create the rehearsal"
      effect={(copy) => `${copy.name} is created as ${copy.id}.`}
      onDone={(copy) => go(`/sales/${copy.id}`)}
      onClose={onClose}
    >
      <Field
        label="Opens in"
        unit="seconds"
        value={seconds}
        onInput={setSeconds}
        inputMode="numeric"
        error={valid ? undefined : 'A whole number from 0 to 86,400.'}
        focus
      />
    </CommandDialog>
  )
}
