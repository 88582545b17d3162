import { byId, notice } from '../lib/dom.ts'
import { say } from '../lib/words.ts'
import { findOut } from './find-out.ts'

/** What the bank's page sent the buyer back with. */
export type BankSaid = 'succeeded' | 'failed'

export interface BankParts {
  readonly orderId: string
  readonly said: BankSaid | undefined
  /** A payment is on its way. */
  readonly waitFor: () => void
}

/** What came of the bank's question, for who is back from it. `find`: finds out what came of a card without an answer. */
export function wireBank({ orderId, said, waitFor }: BankParts): { find(): void } {
  // A refusal of an earlier try says nothing about this one: only a yes is enough.
  const find = () => void findOut(orderId, 'stripe', ({ payment }) => payment === 'accepted')
  const complain = (detail: string) => notice(byId('pay-error'), { title: say('checkout.bank_no'), detail })
  if (said === 'succeeded') {
    waitFor()
    find()
  }
  if (said === 'failed') {
    complain(say('decline.not_confirmed'))
    void findOut(orderId, 'stripe', ({ payment }) => payment === 'declined').then((check) => {
      if (check?.reason !== undefined && !byId('pay-error').hidden) complain(check.reason)
    })
  }
  return { find }
}
