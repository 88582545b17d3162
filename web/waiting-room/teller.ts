import { byId, setText } from '../lib/dom.ts'
import { createMemory } from '../lib/memory.ts'
import { say } from '../lib/words.ts'
import { createChime } from './chime.ts'

/** Calls somebody back who looks at something else while they wait: only who asked for it, with their click. */
export interface Teller {
  readonly isOn: () => boolean
  /** Sounds, and shows a notification to whoever does not look at the page. Resolves when the sound has faded. */
  readonly call: (title: string, text: string) => Promise<void>
  /** The title of the page blinks until it is looked at. */
  readonly blink: (title: string) => void
}

const BLINK_MS = 1000

/** `name`: of the sale; a second notification of the same sale replaces the first. */
export function wireTeller(name: string): Teller {
  const memory = createMemory<boolean>(() => localStorage, 'doorbuster.tell')
  const chime = createChime()
  const box = byId('tell', HTMLInputElement)

  const draw = () => {
    const on = box.checked
    byId('tell-on').hidden = !on
    byId('front-advice').hidden = on
    const said = chime.ready() ? (mayNotify() ? 'both' : 'sound') : 'touch'
    setText(byId('tell-said'), on ? say(`waiting-room.tell.${said}`) : '')
  }
  const unlock = async () => {
    if (!box.checked || chime.ready()) return
    await chime.unlock()
    draw()
  }
  box.checked = memory.read() ?? false
  const decide = async () => {
    if (box.checked) memory.write(true)
    else memory.forget()
    await unlock()
    if (box.checked && 'Notification' in window && Notification.permission === 'default')
      await Notification.requestPermission()
    draw()
  }
  box.addEventListener('change', () => void decide())
  byId('tell-try').addEventListener('click', () => void unlock().then(chime.play))
  // After a reload the wish is known, but the browser wants to be touched again before it lets anything sound.
  for (const touch of ['pointerdown', 'keydown']) addEventListener(touch, () => void unlock())
  draw()

  return {
    isOn: () => box.checked,
    call: async (title, text) => {
      if (!box.checked) return
      if (document.hidden || !document.hasFocus()) notify(title, text, `doorbuster.${name}`)
      await chime.play()
    },
    blink: (title) => {
      if (!box.checked || !document.hidden) return
      let lit = false
      const timer = setInterval(() => {
        lit = !lit
        document.title = lit ? `● ${title}` : title
      }, BLINK_MS)
      const stop = () => {
        clearInterval(timer)
        document.title = title
      }
      document.addEventListener('visibilitychange', stop, { once: true })
    },
  }
}

function mayNotify(): boolean {
  return 'Notification' in window && Notification.permission === 'granted'
}

function notify(title: string, body: string, tag: string): void {
  if (!mayNotify()) return
  const { lang, dir } = document.documentElement
  try {
    const shown = new Notification(title, { body, tag, lang, dir: dir as NotificationDirection })
    shown.addEventListener('click', () => {
      window.focus()
      shown.close()
    })
  } catch {
    // Browsers of phones show none to a page without a service worker: the sound is left.
  }
}
