import { useState } from 'preact/hooks'
import { CommandDialog } from '../parts/command.tsx'
import { Field, Select } from '../parts/field.tsx'
import type { OperatorAccount } from '../shapes.ts'
import { ROLE_CHOICES } from './roles.ts'

/** Another role, no access, another password, or no second factor, for somebody who has lost the phone. */
export function ChangeOperator({
  account,
  onDone,
  onClose,
}: {
  account: OperatorAccount
  onDone: () => void
  onClose: () => void
}) {
  const [role, setRole] = useState<string>(account.role)
  const [access, setAccess] = useState(account.disabled ? 'no' : 'yes')
  const [factor, setFactor] = useState('keep')
  const [password, setPassword] = useState('')
  const disabled = access === 'no'
  const body = {
    ...(role === account.role ? {} : { role }),
    ...(disabled === account.disabled ? {} : { disabled }),
    ...(factor === 'off' ? { totp: false } : {}),
    ...(password === '' ? {} : { password }),
  }
  return (
    <CommandDialog<OperatorAccount>
      title={`Change ${account.name}`}
      explain="It takes effect at once, for sessions that are open too."
      method="PATCH"
      path={`/operators/${encodeURIComponent(account.name)}`}
      body={body}
      valid={Object.keys(body).length > 0}
      button="Change"
      danger={disabled}
      effect={(after) => `${after.name}: ${after.role}, ${after.disabled ? 'disabled' : 'active'}.`}
      onDone={onDone}
      onClose={onClose}
    >
      <Select label="Role" value={role} choices={ROLE_CHOICES} onInput={setRole} />
      <Select
        label="Access"
        value={access}
        onInput={setAccess}
        choices={[
          { value: 'yes', label: 'May sign in' },
          { value: 'no', label: 'Disabled: may not sign in, and is signed out' },
        ]}
      />
      {account.totp ? (
        <Select
          label="Second factor"
          value={factor}
          onInput={setFactor}
          choices={[
            { value: 'keep', label: 'Stays on' },
            { value: 'off', label: 'Taken away: the phone is lost' },
          ]}
        />
      ) : null}
      <Field
        label="New password"
        type="password"
        value={password}
        onInput={setPassword}
        autocomplete="new-password"
        optional
        hint="Empty: the password stays."
      />
    </CommandDialog>
  )
}
