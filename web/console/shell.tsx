import { useEffect } from 'preact/hooks'
import type { ConsoleScreen } from '../../src/contracts/console.ts'
import { useLoad } from './api.ts'
import { place } from './route.ts'
import { sessionState, signOut, useMay } from './session.ts'

/** Strokes on a 20 by 20 grid. */
const ICONS = {
  sales: 'M3 16l4-6 4 3 6-9M3 4v12h14',
  orders: 'M5 3h10v14l-2.5-1.6L10 17l-2.5-1.6L5 17zM8 7h4M8 10.5h4',
  oversell: 'M10 3l7.5 13.5h-15zM10 8v4M10 14.3v.2',
  reconciliation: 'M4 7h11l-3-3M16 13H5l3 3',
  deadLetters: 'M3 5h14v10H3zM3 6l7 5 7-5',
  notices: 'M3 10l14-6-5 13-3-5z',
  audit: 'M5 3h10v14H5zM8 7h4M8 10h4M8 13h2',
  operators:
    'M7 9a2.6 2.6 0 100-5.2A2.6 2.6 0 007 9zM2.5 16c0-3 2-4.5 4.5-4.5s4.5 1.5 4.5 4.5M13 4a2.6 2.6 0 010 5M14 11.6c2 .3 3.5 1.7 3.5 4.4',
  account: 'M10 10a3.2 3.2 0 100-6.4A3.2 3.2 0 0010 10zM4 17c0-3.5 2.5-5 6-5s6 1.5 6 5',
} as const

function Icon({ name }: { name: keyof typeof ICONS }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={ICONS[name]} />
    </svg>
  )
}

const LOOK_MS = 15_000

/** What waits for an operator, for the marks beside the entries; asked for anew with each screen. */
function useTrouble(screen: ConsoleScreen | undefined) {
  const letters = useLoad<{ dead_letters: unknown[] }>('/dead-letters', LOOK_MS)
  const oversold = useLoad<{ items: unknown[] }>('/oversold', LOOK_MS)
  useEffect(() => {
    letters.reload()
    oversold.reload()
  }, [screen])
  return {
    deadLetters: letters.body?.dead_letters.length ?? 0,
    oversell: oversold.body?.items.length ?? 0,
  }
}

interface Entry {
  readonly href: string
  readonly label: string
  readonly icon: keyof typeof ICONS
  readonly screens: readonly ConsoleScreen[]
  readonly mark?: number
}

export function Navigation({ menu, toggle }: { menu: boolean; toggle: () => void }) {
  const { screen } = place.use()
  const state = sessionState.use()
  const admin = useMay('admin')
  const trouble = useTrouble(screen)
  if (state.kind !== 'in' && state.kind !== 'lapsed') return null
  const groups: readonly { readonly title: string; readonly entries: readonly Entry[] }[] = [
    {
      title: 'Selling',
      entries: [
        {
          href: '/',
          label: 'Sales',
          icon: 'sales',
          screens: ['sales', 'newSale', 'live', 'editSale', 'rehearse'],
        },
        { href: '/orders', label: 'Orders', icon: 'orders', screens: ['orders', 'order'] },
      ],
    },
    {
      title: 'When something is wrong',
      entries: [
        {
          href: '/oversell',
          label: 'Oversell',
          icon: 'oversell',
          screens: ['oversell', 'oversoldItem'],
          mark: trouble.oversell,
        },
        {
          href: '/reconciliation',
          label: 'Reconciliation',
          icon: 'reconciliation',
          screens: ['reconciliation'],
        },
        {
          href: '/dead-letters',
          label: 'Dead letters',
          icon: 'deadLetters',
          screens: ['deadLetters'],
          mark: trouble.deadLetters,
        },
        { href: '/notices', label: 'Mails and payments', icon: 'notices', screens: ['notices'] },
      ],
    },
    {
      title: 'People',
      entries: [
        { href: '/audit', label: 'Audit log', icon: 'audit', screens: ['audit'] },
        ...(admin
          ? [
              {
                href: '/operators',
                label: 'Operators',
                icon: 'operators',
                screens: ['operators'],
              } satisfies Entry,
            ]
          : []),
        { href: '/account', label: 'My account', icon: 'account', screens: ['account'] },
      ],
    },
  ]
  return (
    <header class="side">
      <div class="side-inner">
        <div class="side-top">
          <a class="brand" href="/">
            Doorbuster <span class="quiet">console</span>
          </a>
          <button
            type="button"
            class="quiet menu-button"
            aria-expanded={menu}
            aria-controls="navigation"
            onClick={toggle}
          >
            Menu
          </button>
        </div>
        <nav id="navigation" aria-label="Console">
          {groups.map(({ title, entries }) => (
            <section key={title}>
              <h2>{title}</h2>
              <ul>
                {entries.map(({ href, label, icon, screens, mark = 0 }) => (
                  <li key={href}>
                    <a href={href} aria-current={screen && screens.includes(screen) ? 'page' : undefined}>
                      <Icon name={icon} />
                      {label}
                      {mark > 0 ? (
                        <span class="mark">
                          {mark}
                          <span class="unseen"> to look at</span>
                        </span>
                      ) : null}
                    </a>
                  </li>
                ))}
              </ul>
            </section>
          ))}
          <div class="who">
            <span>
              <strong>{state.session.name}</strong>
              <span class="quiet"> {state.session.role}</span>
            </span>
            <button type="button" class="quiet small" onClick={() => void signOut()}>
              Sign out
            </button>
          </div>
        </nav>
      </div>
    </header>
  )
}
