import './jitless.ts'
import { NewSale } from '../../../src/contracts/operator-http.ts'
import { contradictionIn } from '../../../src/contracts/sale-rules.ts'
import { toRequest, type SaleDraft } from './draft.ts'

/** What is wrong, by the path of the field: `name`, `products.0.amount`. */
export type Errors = Readonly<Record<string, string>>

const Request = NewSale.omit({ reason: true })

/** The very schema and rules the server checks with; this module is loaded only where something is edited. */
export function check(draft: SaleDraft, now: number): Errors {
  const errors: Record<string, string> = {}
  if (draft.opens === 'at' && draft.opens_at === '') errors['opens_at'] = 'Choose a date and a time.'
  const checked = Request.safeParse(toRequest(draft))
  for (const issue of checked.error?.issues ?? []) errors[keyOf(issue.path)] ??= told(issue)
  if (checked.success) {
    const found = contradictionIn({ ...checked.data, opens_at: checked.data.opens_at ?? now })
    if (found !== undefined) errors[found.field] ??= CONTRADICTIONS[found.field] ?? found.why
  }
  return errors
}

/** The gift card is one field, whichever part of it is wrong. */
function keyOf(path: readonly PropertyKey[]): string {
  const gift = path.indexOf('gift_card')
  return (gift < 0 ? path : path.slice(0, gift + 1)).join('.')
}

/** The same in the words of the form. */
const CONTRADICTIONS: Readonly<Record<string, string>> = {
  ends_at: 'It must end after it opens.',
  lobby_opens_at: 'People can not join later than the opening.',
  hold_s: 'Units must be held at least as long as one may pay.',
  products: 'Two products have the same id.',
}

interface Issue {
  readonly code?: string | undefined
  readonly message: string
  readonly path: readonly PropertyKey[]
  readonly input?: unknown
  readonly minimum?: unknown
  readonly maximum?: unknown
  readonly origin?: string
}

/** In words for people. */
function told(issue: Issue): string {
  const field = issue.path.at(-1)
  if (issue.path.includes('gift_card')) return 'A percentage from 1 to 100, or an amount such as 5.00.'
  const code: string = issue.code ?? ''
  switch (code) {
    case 'invalid_type':
      if (field === 'amount') return 'A price such as 19.99.'
      return /undefined/.test(issue.message)
        ? 'Fill this in.'
        : 'A number without thousands separators, such as 1000.'
    case 'too_small':
      if (issue.origin === 'string') return 'Fill this in.'
      return issue.origin === 'array' ? 'Add a product.' : `At least ${String(issue.minimum)}.`
    case 'too_big':
      return issue.origin === 'string'
        ? `At most ${String(issue.maximum)} characters.`
        : `At most ${String(issue.maximum)}.`
    default: {
      const text = issue.message
      return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
    }
  }
}
