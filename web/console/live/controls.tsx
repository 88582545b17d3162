import type { ComponentChildren } from 'preact'
import { formatMoment, number } from '../format.ts'
import { CommandDialog, DialogButton } from '../parts/command.tsx'
import { Cap, Message, Rate } from './settings.tsx'
import { AddGroup } from './group.tsx'
import { isBefore, isOver } from '../parts/phase.tsx'
import { go } from '../route.ts'
import type { Phase, SaleWithProducts } from '../shapes.ts'

interface ControlProps {
  readonly sale: SaleWithProducts
  readonly phase: Phase
  readonly onDone: (sale: SaleWithProducts) => void
}

interface SimpleProps extends ControlProps {
  readonly command: 'open' | 'pause' | 'resume' | 'end' | 'close' | 'standby'
  readonly label: string
  readonly title: string
  readonly explain: ComponentChildren
  readonly kind?: 'quiet' | 'danger' | 'main'
  readonly effect: (sale: SaleWithProducts) => string
  readonly confirm?: boolean
}

/** What an operator does to a sale while it runs. */
export function Controls(props: ControlProps) {
  const { sale, phase } = props
  const over = isOver(phase)
  return (
    <div class="controls" role="group" aria-label="Controls">
      {isBefore(phase) ? <Open {...props} /> : null}
      {!over && sale.state === 'paused' ? <Resume {...props} /> : null}
      {!over && sale.state === 'open' && !isBefore(phase) ? <Pause {...props} /> : null}
      <DialogButton label={`Rate: ${number(sale.rate_per_second)}/s`} disabled={over}>
        {(close) => <Rate {...props} onClose={close} />}
      </DialogButton>
      <DialogButton
        label={sale.checkout_cap === null ? 'Cap: none' : `Cap: ${number(sale.checkout_cap)}`}
        disabled={over}
      >
        {(close) => <Cap {...props} onClose={close} />}
      </DialogButton>
      <DialogButton label={sale.message === '' ? 'Message' : 'Message: shown'}>
        {(close) => <Message {...props} onClose={close} />}
      </DialogButton>
      <DialogButton label="Add a lane" disabled={over}>
        {(close) => <AddGroup sale={sale} onClose={close} />}
      </DialogButton>
      {sale.standby_threshold !== null && !over && !isBefore(phase) ? <Standby {...props} /> : null}
      {phase === 'ended' && !sale.rehearsal ? <Close {...props} /> : null}
      {over && sale.rehearsal ? <PutAway {...props} /> : null}
      {over ? null : <End {...props} />}
    </div>
  )
}

function Simple({ sale, command, label, title, explain, kind, effect, confirm, onDone }: SimpleProps) {
  return (
    <DialogButton label={label} {...(kind ? { kind } : {})}>
      {(close) => (
        <CommandDialog<SaleWithProducts>
          title={title}
          explain={explain}
          path={`/sales/${sale.id}/${command}`}
          button={label}
          danger={kind === 'danger'}
          {...(confirm ? { confirm: sale.id } : {})}
          effect={effect}
          onDone={onDone}
          onClose={close}
        />
      )}
    </DialogButton>
  )
}

const Open = (props: ControlProps) => (
  <Simple
    {...props}
    command="open"
    label="Open now"
    kind="main"
    title="Open the sale now?"
    explain="People are let in from this second on, whatever opening time was set."
    effect={({ opens_at }) => `The sale is open, since ${formatMoment(opens_at)}.`}
  />
)
const Pause = (props: ControlProps) => (
  <Simple
    {...props}
    command="pause"
    label="Pause"
    title="Pause the sale?"
    explain="Nobody is let in and nothing is sold until you resume. Everybody keeps their place, and who holds an order can still pay for it."
    effect={({ state }) => `The sale is ${state}.`}
  />
)
const Resume = (props: ControlProps) => (
  <Simple
    {...props}
    command="resume"
    label="Resume"
    kind="main"
    title="Resume the sale?"
    explain="The line moves on where it stood."
    effect={({ state }) => `The sale is ${state} again.`}
  />
)
const End = (props: ControlProps) => (
  <Simple
    {...props}
    command="end"
    label="End"
    kind="danger"
    title="End the sale for good?"
    explain="Everybody who waits is told that it is over. Orders that are held can still be paid; an ended sale can not be opened again."
    effect={() => 'The sale has ended.'}
    confirm
  />
)
const Close = (props: ControlProps) => (
  <Simple
    {...props}
    command="close"
    label="Show the after-sale page"
    title="Show the after-sale page?"
    explain="Visitors see the page of a sale that is over, instead of the one that says it has just ended."
    effect={() => 'Visitors see the after-sale page.'}
  />
)
const Standby = (props: ControlProps) => (
  <Simple
    {...props}
    command="standby"
    label="Standby"
    title="Back to standby?"
    explain={`Everybody walks straight through, until more than ${props.sale.standby_threshold ?? 0} people arrive in a second. Then the line is back by itself.`}
    effect={() => 'The waiting room stands by.'}
  />
)

function PutAway({ sale }: ControlProps) {
  return (
    <DialogButton label="Put away" kind="main">
      {(close) => (
        <CommandDialog
          title="Put this rehearsal away?"
          explain="It is in no list any more. Its orders and records are kept."
          method="DELETE"
          path={`/sales/${sale.id}`}
          button="Put away"
          effect={() => `${sale.name} is put away.`}
          onDone={() => go('/')}
          onClose={close}
        />
      )}
    </DialogButton>
  )
}
