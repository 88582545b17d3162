import ar from '../../../../words/ar/card.json'
import de from '../../../../words/de/card.json'
import en from '../../../../words/en/card.json'
import es from '../../../../words/es/card.json'
import fr from '../../../../words/fr/card.json'
import ja from '../../../../words/ja/card.json'
import { createSay, directionOf, isLanguage, type Say } from '../../../contracts/words/say.ts'

const CARD = { en, de, es, fr, ja, ar }

/** What the frame says, in the `locale` the shop asked Stripe.js for; English where there is none of ours. */
export function frameSay(locale: string | null): Say {
  const language = isLanguage(locale) ? locale : 'en'
  return createSay({ language, topics: { card: CARD[language] } })
}

/** Names the fields of the frame. */
export function labelFields(
  say: Say,
  inputs: Readonly<Record<'number' | 'expiry' | 'cvc', HTMLInputElement>>,
): void {
  document.documentElement.lang = say.language
  document.documentElement.dir = directionOf(say.language)
  document.title = say('card.number')
  for (const name of ['number', 'expiry', 'cvc'] as const)
    inputs[name].setAttribute('aria-label', say(`card.${name}`))
  inputs.number.placeholder = say('card.number')
  inputs.expiry.placeholder = say('card.expiry.shape')
}
