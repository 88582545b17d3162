import { useState } from 'preact/hooks'
import { PASSWORD_LENGTH } from '../../../src/contracts/operators.ts'
import { call, type Refused } from '../api.ts'
import { formatInstant } from '../format.ts'
import { Field } from '../parts/field.tsx'
import { Card, Head } from '../parts/page.tsx'
import { Trouble } from '../parts/states.tsx'
import { say } from '../parts/toast.tsx'
import { sessionState } from '../session.ts'
import { SecondFactor } from './second-factor.tsx'

const { least: LEAST } = PASSWORD_LENGTH

/** One's own password and second factor. */
export function Account() {
  const state = sessionState.use()
  if (state.kind !== 'in' && state.kind !== 'lapsed') return null
  const { name, role, expires_at } = state.session
  return (
    <>
      <Head
        title="My account"
        lead={
          <>
            Signed in as <strong>{name}</strong>, {role}, until {formatInstant(expires_at)} if nothing is done
            before.
          </>
        }
      />
      <PasswordCard name={name} />
      <SecondFactor session={state.session} />
    </>
  )
}

function PasswordCard({ name }: { name: string }) {
  const [current, setCurrent] = useState('')
  const [password, setPassword] = useState('')
  const [again, setAgain] = useState('')
  const [tried, setTried] = useState(false)
  const [refused, setRefused] = useState<Refused>()
  const short = password.length < LEAST
  const differs = password !== again
  const send = async () => {
    setTried(true)
    if (current === '' || short || differs) return
    const answer = await call('/session/password', { method: 'POST', body: { current, password } })
    setRefused(answer.kind === 'ok' ? undefined : answer)
    if (answer.kind !== 'ok') return
    say('The password is changed.')
    for (const clear of [setCurrent, setPassword, setAgain]) clear('')
    setTried(false)
  }
  return (
    <Card title="Password">
      <form
        class="narrow"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          void send()
        }}
      >
        <input type="hidden" autocomplete="username" value={name} />
        <Field
          label="Password now"
          type="password"
          value={current}
          onInput={setCurrent}
          autocomplete="current-password"
          error={tried && current === '' ? 'Type the password you have now.' : undefined}
        />
        <Field
          label="New password"
          type="password"
          value={password}
          onInput={setPassword}
          autocomplete="new-password"
          hint={`At least ${LEAST} characters; a few words are easier to keep than signs.`}
          error={tried && short ? `At least ${LEAST} characters.` : undefined}
        />
        <Field
          label="New password again"
          type="password"
          value={again}
          onInput={setAgain}
          autocomplete="new-password"
          error={tried && differs ? 'The two are not the same.' : undefined}
        />
        {refused ? <Trouble refused={refused} /> : null}
        <button type="submit">Change the password</button>
      </form>
    </Card>
  )
}
