import { render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { byId } from '../lib/dom.ts'
import { Dialog } from './parts/dialog.tsx'
import { Loading, Trouble } from './parts/states.tsx'
import { hush, Toast } from './parts/toast.tsx'
import { followLinks, place } from './route.ts'
import { Screen } from './screen.tsx'
import { askSession, sessionState, signOut } from './session.ts'
import { Navigation } from './shell.tsx'
import { SignIn } from './sign-in.tsx'

export function mount(): void {
  const root = byId('console')
  followLinks(hush)
  render(<Console />, root)
  void askSession()
}

function Console() {
  const state = sessionState.use()
  switch (state.kind) {
    case 'asking':
      return (
        <main class="alone">
          <Loading lines={3} />
        </main>
      )
    case 'unreachable':
      return (
        <main class="alone">
          <h1>Console</h1>
          <Trouble refused={{ kind: 'unreachable' }} retry={() => void askSession()} />
        </main>
      )
    case 'out':
      return (
        <main class="alone">
          <h1>Operator console</h1>
          <SignIn />
        </main>
      )
    case 'in':
    case 'lapsed':
      return (
        <>
          <SignedIn />
          {state.kind === 'lapsed' ? (
            <Dialog title="Sign in again" onClose={() => void signOut()} stays>
              <p>Your session has ended. Nothing on this screen is lost.</p>
              <SignIn name={state.session.name} />
            </Dialog>
          ) : null}
        </>
      )
  }
}

function SignedIn() {
  const here = place.use()
  const [menu, openMenu] = useState(false)
  useEffect(() => {
    openMenu(false)
    // Whoever can not see it hears that the screen has changed.
    document.querySelector<HTMLElement>('main h1')?.focus()
  }, [here.screen, JSON.stringify(here.parameters)])
  return (
    <div class={menu ? 'shell menu-open' : 'shell'}>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Navigation menu={menu} toggle={() => openMenu(!menu)} />
      <main id="main" tabIndex={-1}>
        <Screen place={here} />
      </main>
      <Toast />
    </div>
  )
}
