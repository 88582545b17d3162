import { useState } from 'preact/hooks'
import { ask } from '../lib/ask.ts'
import { explain, type Refused } from './api.ts'
import { Field } from './parts/field.tsx'
import { SESSION_PATH, sessionState } from './session.ts'
import type { Session } from './shapes.ts'

/** Name and password; then the code, for those who have a second factor. `name`: whose session has ended. */
export function SignIn({ name: known = '' }: { name?: string }) {
  const [name, setName] = useState(known)
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const [step, setStep] = useState<'password' | 'code'>('password')
  const [busy, setBusy] = useState(false)
  const [wrong, setWrong] = useState<Refused>()

  const send = async () => {
    setBusy(true)
    const body = { name: name.trim(), password, ...(step === 'code' ? { code: code.trim() } : {}) }
    const answer = await ask<Session>(SESSION_PATH, { method: 'POST', body })
    setBusy(false)
    if (answer.kind === 'ok') return sessionState.set({ kind: 'in', session: answer.body })
    const asksForCode = answer.kind === 'problem' && answer.problem.code === 'code_required'
    if (asksForCode && step === 'password') {
      setStep('code')
      setWrong(undefined)
    } else {
      setWrong(answer)
      setCode('')
    }
  }

  const told = wrong && explain(wrong)
  return (
    <form
      class="sign-in"
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      {told ? (
        <p class="banner bad" role="alert">
          <strong>{told.title}</strong> {told.detail}
        </p>
      ) : null}
      {step === 'password' ? (
        <>
          <Field
            label="Name"
            name="name"
            value={name}
            onInput={setName}
            autocomplete="username"
            focus={known === ''}
          />
          <Field
            label="Password"
            name="password"
            type="password"
            value={password}
            onInput={setPassword}
            autocomplete="current-password"
            focus={known !== ''}
          />
        </>
      ) : (
        <Field
          label="Code"
          name="code"
          value={code}
          onInput={setCode}
          inputMode="numeric"
          autocomplete="one-time-code"
          hint="The six digits that your authenticator app shows now."
          focus
        />
      )}
      <div class="actions">
        <button type="submit" disabled={busy || name.trim() === '' || password === ''}>
          {busy ? 'Signing in …' : 'Sign in'}
        </button>
        {step === 'code' ? (
          <button type="button" class="quiet" onClick={() => setStep('password')}>
            Back
          </button>
        ) : null}
      </div>
    </form>
  )
}
