import type { Key } from '../../../contracts/words/say.ts'
import type { NoticeKind, Told } from '../sql.ts'

/** What happened, and what became of the money; a paragraph each. */
export function storyOf(
  kind: NoticeKind,
  { failure_reason, returned, paid_at }: Pick<Told, 'failure_reason' | 'returned' | 'paid_at'>,
): Key[] {
  const money = returned ? 'mail.money.back' : 'mail.money.none'
  switch (kind) {
    case 'paid':
      return ['mail.story.paid']
    case 'pay_again':
      return ['mail.story.pay_again']
    case 'cancelled':
      return ['mail.story.cancelled', money]
    case 'oversold':
      return ['mail.story.oversold', paid_at === null ? money : 'mail.money.refund']
    case 'failed':
      return [failure_reason === 'declined' ? 'mail.story.declined' : 'mail.story.late', money]
  }
}
