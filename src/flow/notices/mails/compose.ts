import { showGiftCode } from '../../../contracts/gift-cards.ts'
import type { OrderId } from '../../../contracts/ids.ts'
import { paidWith } from '../../../contracts/words/order.ts'
import type { Say } from '../../../contracts/words/say.ts'
import { projectPath } from '../../../platform/project.ts'
import { Html, readTemplates } from '../../../platform/templates.ts'
import { createSpeakers } from '../../../platform/words.ts'
import type { GiftCard, NoticeKind, Told } from '../sql.ts'
import { ENGLISH, type MailWords } from './words.ts'

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
  const say = createSpeakers().en
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
    const amount = say.money(told.amount, told.currency)
    const charged = say.money(told.provider_amount ?? told.amount, told.currency)
    const fill = (sentence: string) => filled(sentence, { item, amount, charged })
    const label = words.facts
    const content: Content = {
      title: words.title[kind],
      story: words.story(kind, told).map(fill),
      gift: giftOf(card, words, say),
      facts: [
        [label.item, told.quantity === 1 ? item : `${told.quantity} × ${item}`],
        [label.total, amount],
        ...(kind === 'paid' ? paidFacts(told, words, say) : []),
        [label.order, order_id],
      ],
      url: `${shopUrl}/checkout/${told.sale_id}?order=${order_id}`,
    }
    return { subject: fill(words.subject[kind]), text: toText(content), html: toHtml(content) }
  }
}

function giftOf(card: GiftCard | undefined, { giftCard }: MailWords, say: Say): Content['gift'] {
  if (card === undefined) return undefined
  const amount = say.money(card.amount, card.currency)
  return {
    text: filled(giftCard.text, { amount }),
    code: showGiftCode(card.code),
    until: filled(giftCard.until, { until: say.date(card.expires_at.getTime()) }),
  }
}

function paidFacts(
  { provider, gift_amount, currency, paid_at }: Told,
  { facts }: MailWords,
  say: Say,
): (readonly [string, string])[] {
  const gift = gift_amount === 0 ? undefined : say.money(gift_amount, currency)
  const means = paidWith(say, provider, gift)
  return [
    ...(means === '' ? [] : [[facts.paid_with, means] as const]),
    ...(paid_at === null ? [] : [[facts.paid_at, say.date(paid_at.getTime())] as const]),
  ]
}

function filled(sentence: string, values: Readonly<Record<string, string>>): string {
  return sentence.replace(/\{(\w+)\}/g, (hole, name: string) => values[name] ?? hole)
}

/** A name with line breaks or other control characters in it would break a subject or a line of a receipt. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
}
