import type { CaptchaAnswer, Challenge } from '../contracts/guard.ts'
import type { ItemId, SaleId, UserId } from '../contracts/ids.ts'
import type { Asker } from './asker.ts'

/** What somebody who wants a new place brings along. */
export interface Knock {
  readonly sale: SaleId
  readonly device: string
  readonly fingerprint?: string | undefined
  readonly solution?: unknown
  readonly captcha?: CaptchaAnswer | undefined
}

/** The same, from a form of a page without scripts: a question stands in for the proof of work. */
export type FormKnock = Omit<Knock, 'solution' | 'fingerprint'>

export type FormVerdict =
  | { readonly kind: 'ok' | 'decoy' }
  /** The same form is to come again with the answer. */
  | { readonly kind: 'question'; readonly question: string; readonly token: string }

/** The guard, as the ways in meet it. Throws the problems of the guard: `proof_*`, `captcha_required`, `rate_limited`, ... */
export interface Doorman {
  challenge(asker: Asker, sale: SaleId, device: string): Promise<Challenge>
  /** `decoy`: to be answered like a real join, with a place that leads nowhere. */
  join(asker: Asker, knock: Knock): Promise<'ok' | 'decoy'>
  joinByForm(asker: Asker, knock: FormKnock): Promise<FormVerdict>
  enter(asker: Asker, sale: SaleId, ticket: string): Promise<void>
  /** Those who come when it is their turn are less suspicious. */
  entered(asker: Asker, sale: SaleId): Promise<void>
  claim(asker: Asker, item: ItemId, user: UserId): Promise<void>
  /** Somebody types the code of a gift card: few tries are enough. */
  giftCard(asker: Asker, sale: SaleId, user: UserId): Promise<void>
}
