import { createSay, isLanguage, type Say, type Speaker } from '../../src/contracts/words/say.ts'
import { config } from './config.ts'
import { byId } from './dom.ts'

const { language, topics } = JSON.parse(byId('words').textContent) as Pick<Speaker, 'language' | 'topics'>
/** The reader's own country decides how numbers and dates look, where it speaks the language of the page. */
const locale = navigator.languages.find((tag) => tag.split('-')[0] === language)

/** Speaks the language of this page. */
export const say: Say = createSay({ language, topics, ...(locale === undefined ? {} : { locale }) })

const YEAR_S = 365 * 24 * 3600
keepChoice()

/** What was chosen in the address is kept for this host, and taken along to the others: a cookie is one host's own. */
function keepChoice(): void {
  const here = new URL(location.href)
  if (isLanguage(here.searchParams.get('lang'))) {
    document.cookie = `lang=${language}; Path=/; Max-Age=${YEAR_S}; SameSite=Lax; Secure`
    here.searchParams.delete('lang')
    history.replaceState(history.state, '', here)
  }
  document.addEventListener(
    'click',
    ({ target }) => {
      const link = target instanceof Element ? target.closest('a') : null
      if (link !== null) link.href = inChosenLanguage(link.href)
    },
    { capture: true },
  )
}

/** An address of another of our hosts, in the language that was chosen here; any other as it is. */
export function inChosenLanguage(address: string): string {
  const chosen = document.cookie.split('; ').some((pair) => pair.startsWith('lang='))
  const others = [config.shop_url, config.queue_url].filter((origin) => origin !== location.origin)
  if (!chosen || !URL.canParse(address) || !others.includes(new URL(address).origin)) return address
  const there = new URL(address)
  there.searchParams.set('lang', language)
  return there.href
}
