import { byId, element, setText, showOnly } from '../lib/dom.ts'

const SCENES = ['loading', 'message', 'choose', 'order'] as const

/** Shows one of the checkout's scenes and hides the others. */
export function showScene(name: (typeof SCENES)[number]): void {
  showOnly(
    SCENES.map((scene) => byId(`scene-${scene}`)),
    byId(`scene-${name}`),
  )
}

/** The shop's name, as the page came with it. */
const SITE = document.title.slice(document.title.lastIndexOf(' · '))

/** Something else is on the page now: screen readers hear of it at once, and the focus goes to its heading. */
export function arrive(heading: HTMLElement, title: string, text: string): void {
  document.title = title + SITE
  setText(byId('answer'), `${title}. ${text}`)
  heading.focus()
}

export type Mark = 'check' | 'clock' | 'cross' | 'held' | 'alert' | 'bank' | 'gift' | 'door' | 'busy'
export type Tone = 'good' | 'bad' | 'note' | 'calm' | 'accent'

/** The sign over a heading, and the colour that goes with it. */
export function drawMark(where: 'message' | 'order', mark: Mark, tone: Tone): void {
  const href = `#mark-${mark}`
  const use = byId(`${where}-hero`).querySelector('use')
  if (use?.getAttribute('href') !== href) use?.setAttribute('href', href)
  byId(`${where}-hero`).dataset['tone'] = tone
  byId(`${where}-hero`).dataset['mark'] = mark
}

/** What a buyer can do next: go somewhere, or press a button that has a name. */
export type Action<Name extends string> =
  { readonly label: string; readonly href: string } | { readonly label: string; readonly press: Name }

export interface Message<Name extends string> {
  readonly mark: Mark
  readonly tone: Tone
  readonly title: string
  readonly text: string
  /** The first is the one to take. */
  readonly actions: readonly Action<Name>[]
}

/** Shows a scene of words and ways on; `press` is told of each button that is pressed. */
export function showMessage<Name extends string = never>(
  { mark, tone, title, text, actions }: Message<Name>,
  press: (name: Name, button: HTMLButtonElement) => void = () => {},
): void {
  drawMark('message', mark, tone)
  setText(byId('message-title'), title)
  setText(byId('message-text'), text)
  byId('message-stock').hidden = true
  byId('message-actions').replaceChildren(
    ...actions.map((action, index) => {
      const rank = index === 0 ? '' : 'quiet'
      if ('href' in action) return element('a', { href: action.href, class: `button ${rank}` }, action.label)
      const button = element('button', { type: 'button', class: rank }, action.label)
      button.addEventListener('click', () => press(action.press, button))
      return button
    }),
  )
  showScene('message')
  arrive(byId('message-title'), title, text)
}
