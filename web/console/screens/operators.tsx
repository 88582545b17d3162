import { useState } from 'preact/hooks'
import { useLoad } from '../api.ts'
import { formatInstant } from '../format.ts'
import { CommandDialog, DialogButton } from '../parts/command.tsx'
import { Field, Select } from '../parts/field.tsx'
import { Badge, Head } from '../parts/page.tsx'
import { Loaded } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { sessionState } from '../session.ts'
import type { OperatorAccount } from '../shapes.ts'
import { ROLE_CHOICES } from './roles.ts'
import { ChangeOperator } from './change-operator.tsx'

/** Who may sign in, and what they may do. */
export function Operators() {
  const load = useLoad<{ operators: OperatorAccount[] }>('/operators')
  const state = sessionState.use()
  const me = state.kind === 'in' ? state.session.name : ''
  return (
    <>
      <Head
        title="Operators"
        lead="Who may sign in to this console, and what they may do."
        actions={
          <DialogButton label="Add an operator" kind="main" role="admin">
            {(close) => <Add onDone={load.reload} onClose={close} />}
          </DialogButton>
        }
      />
      <Loaded load={load}>
        {({ operators }) => (
          <Table<OperatorAccount>
            label="Operators"
            rows={operators}
            keyOf={({ name }) => name}
            columns={[
              {
                head: 'Name',
                cell: ({ name }) => (
                  <>
                    <strong>{name}</strong> {name === me ? <span class="quiet">(you)</span> : null}
                  </>
                ),
              },
              { head: 'Role', cell: ({ role }) => role },
              {
                head: 'State',
                cell: ({ disabled }) =>
                  disabled ? <Badge of="off">Disabled</Badge> : <Badge of="on">Active</Badge>,
              },
              { head: 'Second factor', cell: ({ totp }) => (totp ? 'on' : 'off') },
              {
                head: 'Last sign-in',
                cell: ({ last_sign_in_at: at }) => (at === null ? 'never' : formatInstant(at)),
              },
              {
                head: '',
                cell: (account) => (
                  <DialogButton label="Change" role="admin">
                    {(close) => <ChangeOperator account={account} onDone={load.reload} onClose={close} />}
                  </DialogButton>
                ),
              },
            ]}
          />
        )}
      </Loaded>
    </>
  )
}

function Add({ onDone, onClose }: { onDone: () => void; onClose: () => void }) {
  const [name, setName] = useState('')
  const [role, setRole] = useState<string>('operator')
  const [password, setPassword] = useState('')
  return (
    <CommandDialog<OperatorAccount>
      title="Add an operator"
      explain="Give the name and the first password to the person yourself; they change it under My account."
      path="/operators"
      body={{ name: name.trim(), role, password }}
      valid={name.trim() !== '' && password !== ''}
      button="Add"
      effect={(added) => `${added.name} may sign in as ${added.role}.`}
      onDone={onDone}
      onClose={onClose}
    >
      <Field
        label="Name"
        value={name}
        onInput={setName}
        hint="Lower-case letters, digits, dot, underscore, hyphen."
        autocomplete="off"
        focus
      />
      <Select label="Role" value={role} choices={ROLE_CHOICES} onInput={setRole} />
      <Field
        label="First password"
        type="password"
        value={password}
        onInput={setPassword}
        autocomplete="new-password"
        hint="At least 12 characters."
      />
    </CommandDialog>
  )
}
