import { showGiftCode } from '../../../contracts/gift-cards.ts'
import type { OrderId } from '../../../contracts/ids.ts'
import { formatDate } from '../../../contracts/words/durations.ts'
import { formatMoney } from '../../../contracts/words/money.ts'
import { paidWith } from '../../../contracts/words/order.ts'
import { projectPath } from '../../../platform/project.ts'
import { Html, readTemplates } from '../../../platform/templates.ts'
import type { GiftCard, NoticeKind, Told } from '../sql.ts'
import { ENGLISH, type MailWords } from './words.ts'

/** We do not know where the buyer is; a date names its time zone. */
const ZONE = 'UTC'

export interface Composed {
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** `card`: what makes up for an order that was cancelled. */
export type Compose = (order: OrderId, kind: NoticeKind, told: Told, card?: GiftCard) => Promise<Composed>

export interface ComposerParts {
  readonly nameOf: (item: string) => Promise<string>
  readonly shopUrl: string
  readonly words?: MailWords
}

/** What a mail says, before it is text or HTML. */
interface Content {
  readonly title: string
  readonly story: readonly string[]
  readonly gift: { readonly text: string; readonly code: string; readonly until: string } | undefined
  readonly facts: readonly (readonly [string, string])[]
  readonly url: string
}

/** One content, two renderings that can not say different things. Names come from outside: nothing of them is markup. */
export function createComposer({ nameOf, shopUrl, words = ENGLISH }: ComposerParts): Compose {
  const templates = readTemplates(projectPath('src/flow/notices/mails'))

  const toText = ({ title, story, gift, facts, url }: Content) => {
    const widest = Math.max(...facts.map(([name]) => name.length))
    return [
      title,
      ...story,
      ...(gift === undefined ? [] : [words.giftCard.title, gift.text, `    ${gift.code}`, gift.until]),
      facts.map(([name, value]) => `${`${name}:`.padEnd(widest + 2)}${value}`).join('\n'),
      `${words.button}:\n${url}`,
      `-- \n${words.footer}`,
      '',
    ].join('\n\n')
  }

  const toHtml = ({ title, story, gift, facts, url }: Content) =>
    templates.render('layout', {
      ...{ title, url, button: words.button, footer: words.footer },
      shop: new URL(url).host,
      story: story.map((text) => templates.render('paragraph', { text })),
      gift:
        gift === undefined
          ? new Html('')
          : templates.render('gift', { ...gift, title: words.giftCard.title }),
      facts: facts.map(([name, value]) => templates.render('fact', { name, value })),
    }).markup

  return async (order_id, kind, told, card) => {
    const item = oneLine(await nameOf(told.item_id))
    const amount = formatMoney(told.amount, told.currency, words.locale)
    const charged = formatMoney(told.provider_amount ?? told.amount, told.currency, words.locale)
    const fill = (sentence: string) => filled(sentence, { item, amount, charged })
    const label = words.facts
    const content: Content = {
      title: words.title[kind],
      story: words.story(kind, told).map(fill),
      gift: giftOf(card, words),
      facts: [
        [label.item, told.quantity === 1 ? item : `${told.quantity} × ${item}`],
        [label.total, amount],
        ...(kind === 'paid' ? paidFacts(told, words) : []),
        [label.order, order_id],
      ],
      url: `${shopUrl}/checkout/${told.sale_id}?order=${order_id}`,
    }
    return { subject: fill(words.subject[kind]), text: toText(content), html: toHtml(content) }
  }
}

function giftOf(card: GiftCard | undefined, { giftCard, locale }: MailWords): Content['gift'] {
  if (card === undefined) return undefined
  const amount = formatMoney(card.amount, card.currency, locale)
  return {
    text: filled(giftCard.text, { amount }),
    code: showGiftCode(card.code),
    until: filled(giftCard.until, { until: formatDate(card.expires_at.getTime(), locale, ZONE) }),
  }
}

function paidFacts(
  { provider, gift_amount, currency, paid_at }: Told,
  { facts, locale }: MailWords,
): (readonly [string, string])[] {
  const gift = gift_amount === 0 ? undefined : formatMoney(gift_amount, currency, locale)
  const means = paidWith(provider, gift)
  return [
    ...(means === '' ? [] : [[facts.paid_with, means] as const]),
    ...(paid_at === null ? [] : [[facts.paid_at, formatDate(paid_at.getTime(), locale, ZONE)] as const]),
  ]
}

function filled(sentence: string, values: Readonly<Record<string, string>>): string {
  return sentence.replace(/\{(\w+)\}/g, (hole, name: string) => values[name] ?? hole)
}

/** A name with line breaks or other control characters in it would break a subject or a line of a receipt. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
}
