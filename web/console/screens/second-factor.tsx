import { useState } from 'preact/hooks'
import { call, type Refused } from '../api.ts'
import { Field } from '../parts/field.tsx'
import { Badge, Card } from '../parts/page.tsx'
import { QrCode } from '../parts/qr-code.tsx'
import { Trouble } from '../parts/states.tsx'
import { say } from '../parts/toast.tsx'
import { sessionState } from '../session.ts'
import type { Session } from '../shapes.ts'

interface Offer {
  readonly secret: string
  readonly uri: string
}

/** The codes of an authenticator app: on with a code, off with the password. */
export function SecondFactor({ session }: { session: Session }) {
  const [offer, setOffer] = useState<Offer>()
  const [refused, setRefused] = useState<Refused>()
  const put = (totp: boolean) => {
    setOffer(undefined)
    sessionState.set({ kind: 'in', session: { ...session, totp } })
    say(totp ? 'From now on a code is asked for at sign-in.' : 'No code is asked for any more.')
  }
  const begin = async () => {
    const answer = await call<Offer>('/session/totp', { method: 'POST' })
    setRefused(answer.kind === 'ok' ? undefined : answer)
    if (answer.kind === 'ok') setOffer(answer.body)
  }
  return (
    <Card
      title="Codes of an authenticator app"
      actions={<Badge of={session.totp ? 'on' : 'off'}>{session.totp ? 'On' : 'Off'}</Badge>}
    >
      {refused ? <Trouble refused={refused} /> : null}
      {session.totp ? (
        <TurnOff onDone={() => put(false)} />
      ) : offer ? (
        <TurnOn offer={offer} onDone={() => put(true)} onCancel={() => setOffer(undefined)} />
      ) : (
        <>
          <p>
            With it a stolen password alone is of no use: at sign-in six digits are asked for that only your
            phone knows.
          </p>
          <button type="button" onClick={() => void begin()}>
            Set it up
          </button>
        </>
      )}
    </Card>
  )
}

function TurnOn({ offer, onDone, onCancel }: { offer: Offer; onDone: () => void; onCancel: () => void }) {
  const [code, setCode] = useState('')
  const [refused, setRefused] = useState<Refused>()
  const send = async () => {
    const answer = await call('/session/totp', { method: 'PUT', body: { code: code.trim() } })
    if (answer.kind === 'ok') onDone()
    else setRefused(answer)
  }
  return (
    <form
      class="two-factor"
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      <QrCode text={offer.uri} label="QR code of the secret, for the app's camera" />
      <div>
        <ol>
          <li>Scan the code with an authenticator app, or type this secret into it:</li>
        </ol>
        <p>
          <code class="secret">{offer.secret.replaceAll(/(.{4})(?=.)/g, '$1 ')}</code>
        </p>
        <Field
          label="Code that the app shows now"
          value={code}
          onInput={setCode}
          inputMode="numeric"
          autocomplete="one-time-code"
          hint="It proves that the app has the secret; only then it is asked for."
        />
        {refused ? <Trouble refused={refused} /> : null}
        <div class="actions">
          <button type="submit" disabled={code.trim() === ''}>
            Turn it on
          </button>
          <button type="button" class="quiet" onClick={onCancel}>
            Cancel
          </button>
        </div>
      </div>
    </form>
  )
}

function TurnOff({ onDone }: { onDone: () => void }) {
  const [password, setPassword] = useState('')
  const [refused, setRefused] = useState<Refused>()
  const send = async () => {
    const answer = await call('/session/totp', { method: 'DELETE', body: { password } })
    if (answer.kind === 'ok') onDone()
    else setRefused(answer)
  }
  return (
    <form
      class="narrow"
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      <p>A code is asked for whenever you sign in.</p>
      <Field
        label="Password, to turn it off"
        type="password"
        value={password}
        onInput={setPassword}
        autocomplete="current-password"
      />
      {refused ? <Trouble refused={refused} /> : null}
      <button type="submit" class="quiet" disabled={password === ''}>
        Turn it off
      </button>
    </form>
  )
}
