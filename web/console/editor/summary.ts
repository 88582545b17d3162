import { count, duration, formatMoment, formatMoney, number } from '../format.ts'
import { decimal, wholeNumber } from '../typed.ts'
import { minorUnits, type SaleDraft } from './draft.ts'

/** What will happen if it is created so, in the order in which it happens. Sentences of what is not typed yet are left out. */
export function summaryOf(draft: SaleDraft, now: number, isNew: boolean): string[] {
  const at = (text: string) => (text === '' ? undefined : new Date(text).getTime())
  const opens = draft.opens === 'now' ? now : at(draft.opens_at)
  const [lobby, ends, post] = [at(draft.lobby_opens_at), at(draft.ends_at), at(draft.post_sale_at)]
  const [rate, units] = [typed(draft.rate_per_second), totalUnits(draft)]
  const sentences: (string | false)[] = [
    draft.opens === 'at' && lobbyLine(lobby, now, isNew),
    opens !== undefined &&
      (draft.opens === 'now' || opens <= now
        ? isNew
          ? 'The sale opens at once when you create it.'
          : 'The sale has opened.'
        : `The sale opens ${formatMoment(opens)}, in ${duration((opens - now) / 1000)}.`),
    draft.opens === 'at' &&
      (draft.order === 'draw'
        ? 'Those who joined before then are drawn in random order; who comes later stands behind them.'
        : 'People are let in in the order in which they joined.'),
    ...productLines(draft),
    rate > 0 &&
      `${number(rate)} ${rate === 1 ? 'person is' : 'people are'} let in each second at most${draft.checkout_cap === '' ? '' : `, and ${draft.checkout_cap} are in checkout at once at most`}${units > rate ? `: ${count(units)} units are gone after ${duration(units / rate)} at the earliest` : ''}.`,
    typed(draft.payment_window_s) > 0 &&
      typed(draft.hold_s) > 0 &&
      `Who gets a unit has ${duration(typed(draft.payment_window_s))} to pay; unpaid units go back to those who wait after ${duration(typed(draft.hold_s))} at the latest.`,
    ends === undefined
      ? 'The sale ends when you end it.'
      : `The sale ends ${formatMoment(ends)}, or earlier if you end it.`,
    post !== undefined && `From ${formatMoment(post)} on visitors see the after-sale page.`,
    oversellLine(draft),
  ]
  return sentences.filter((sentence) => sentence !== false)
}

const typed = (text: string) => decimal(text) ?? NaN

function lobbyLine(lobby: number | undefined, now: number, isNew: boolean): string {
  if (lobby !== undefined && lobby > now)
    return `People can join the waiting room from ${formatMoment(lobby)}.`
  return isNew
    ? 'People can join the waiting room as soon as you have created the sale.'
    : 'People can join the waiting room already.'
}

function totalUnits({ products }: SaleDraft): number {
  return products.reduce((sum, { units }) => sum + (wholeNumber(units) || 0), 0)
}

function productLines({ products }: SaleDraft): string[] {
  return products.flatMap(({ name, price, currency, units, per_buyer_limit }) => {
    const amount = minorUnits(price, currency)
    if (name.trim() === '' || !(typed(units) > 0) || amount === undefined || Number.isNaN(amount)) return []
    let money = `${price} ${currency}`
    try {
      money = formatMoney(amount, currency)
    } catch {
      // A currency that is being typed.
    }
    return [
      `${count(typed(units))} × ${name.trim()} at ${money}, at most ${per_buyer_limit || '1'} for each buyer.`,
    ]
  })
}

function oversellLine({ approval, gift, gift_value, products }: SaleDraft): string {
  const who = {
    one_person: 'once an admin approves',
    two_persons: 'once two admins approve',
    automatic: 'without asking you',
  }[approval]
  return `Should more be sold than there is, the last orders are cancelled ${who}, refunded, and made up for with a gift card of ${gift === 'share' ? `${gift_value} % of the price` : `${gift_value} ${products[0]?.currency ?? ''}`}.`
}
