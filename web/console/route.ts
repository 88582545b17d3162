import { CONSOLE_SCREENS, type ConsoleScreen } from '../../src/contracts/console.ts'
import { createStore } from './store.ts'

/** Where the browser is: the screen, and what the path names. */
export interface Place {
  readonly screen: ConsoleScreen | undefined
  readonly parameters: Readonly<Record<string, string>>
  readonly query: URLSearchParams
}

export function placeOf({ pathname, search }: Pick<Location, 'pathname' | 'search'>): Place {
  const query = new URLSearchParams(search)
  const given = pathname.split('/')
  for (const [screen, pattern] of Object.entries(CONSOLE_SCREENS)) {
    const wanted = pattern.split('/')
    const fits = wanted.every((part, i) => (part.startsWith(':') ? given[i] !== '' : part === given[i]))
    if (!fits || wanted.length !== given.length) continue
    const named = wanted.flatMap((part, i) =>
      part.startsWith(':') ? [[part.slice(1), decodeURIComponent(given[i] ?? '')] as const] : [],
    )
    return { screen: screen as ConsoleScreen, parameters: Object.fromEntries(named), query }
  }
  return { screen: undefined, parameters: {}, query }
}

export const place = createStore(placeOf(location))

/** Shows another screen without loading the page anew. */
export function go(path: string): void {
  history.pushState(null, '', path)
  place.set(placeOf(location))
  scrollTo(0, 0)
}

/** Notes what a screen shows (a filter) in the address, so that it can be shared and gone back to. */
export function setQuery(values: Readonly<Record<string, string>>): void {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== ''))
  history.replaceState(null, '', `${location.pathname}${query.size > 0 ? `?${query.toString()}` : ''}`)
  place.set(placeOf(location))
}

/**
 * Plain links within the console change the screen, and `leave` is told; everything else stays the browser's business.
 */
export function followLinks(leave: () => void): void {
  addEventListener('popstate', () => {
    leave()
    place.set(placeOf(location))
  })
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (link === null || event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    if (link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return
    const { screen } = placeOf(link)
    if (screen === undefined || link.hash !== '') return
    event.preventDefault()
    leave()
    go(link.pathname + link.search)
  })
}
