import type { CaptchaChallenge } from '../../src/contracts/guard.ts'
import { byId } from '../lib/dom.ts'

type WidgetChallenge = Extract<CaptchaChallenge, { kind: 'widget' }>

/** What the three providers' scripts have in common. */
interface WidgetApi {
  render(box: HTMLElement, options: Record<string, unknown>): unknown
  ready?(callback: () => void): void
}

/** The address of a provider's script, and the global it makes. */
const SCRIPTS = {
  turnstile: ['https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit', 'turnstile'],
  hcaptcha: ['https://js.hcaptcha.com/1/api.js?render=explicit', 'hcaptcha'],
  recaptcha: ['https://www.google.com/recaptcha/api.js?render=explicit', 'grecaptcha'],
} as const satisfies Record<WidgetChallenge['provider'], readonly [string, string]>

/** Shows the provider's widget and gives the token it makes; undefined where its script does not load. */
export async function solveWidget({
  provider,
  site_key,
  action,
}: WidgetChallenge): Promise<string | undefined> {
  const [address, name] = SCRIPTS[provider]
  const api = await load(address, name)
  if (api === undefined) return undefined
  const box = byId('widget-box')
  const holder = document.createElement('div')
  byId('widget').replaceChildren(holder)
  box.hidden = false
  const token = await new Promise<string>((callback) => {
    const render = () => api.render(holder, { sitekey: site_key, action, callback })
    if (api.ready) api.ready(render)
    else render()
  })
  box.hidden = true
  return token
}

function load(address: string, name: string): Promise<WidgetApi | undefined> {
  const find = () => (window as unknown as Record<string, WidgetApi | undefined>)[name]
  if (find() !== undefined) return Promise.resolve(find())
  return new Promise((resolve) => {
    const script = document.createElement('script')
    script.src = address
    script.onload = () => resolve(find())
    script.onerror = () => resolve(undefined)
    document.head.append(script)
  })
}
