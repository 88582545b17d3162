import { showGiftCode } from '../../../contracts/gift-cards.ts'
import type { OrderId } from '../../../contracts/ids.ts'
import { itemText, paidWith } from '../../../contracts/words/order.ts'
import { directionOf, type Say } from '../../../contracts/words/say.ts'
import { projectPath } from '../../../platform/project.ts'
import { Html, readTemplates } from '../../../platform/templates.ts'
import type { Theme } from '../../../platform/theme/theme.ts'
import type { GiftCard, NoticeKind, Told } from '../sql.ts'
import { storyOf } from './story.ts'

export interface Composed {
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** In the language the address was given in. `card`: what makes up for an order that was cancelled. */
export type Compose = (order: OrderId, kind: NoticeKind, told: Told, card?: GiftCard) => Promise<Composed>

export interface ComposerParts {
  readonly nameOf: (item: string) => Promise<string>
  readonly shopUrl: string
  readonly theme: Pick<Theme, 'name' | 'speakers'>
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
export function createComposer({ nameOf, shopUrl, theme }: ComposerParts): Compose {
  const templates = readTemplates(projectPath('src/flow/notices/mails'))

  const toText = (say: Say, { title, story, gift, facts, url }: Content) => {
    const widest = Math.max(...facts.map(([name]) => name.length))
    return [
      title,
      ...story,
      ...(gift === undefined ? [] : [say('mail.gift.title'), gift.text, `    ${gift.code}`, gift.until]),
      facts.map(([name, value]) => `${`${name}:`.padEnd(widest + 2)}${value}`).join('\n'),
      `${say('mail.button')}:\n${url}`,
      `-- \n${say('mail.footer')}`,
      '',
    ].join('\n\n')
  }

  const toHtml = (say: Say, { title, story, gift, facts, url }: Content) =>
    templates.render(
      'layout',
      {
        ...{ title, url, shop: new URL(url).host, shop_name: theme.name },
        ...{ language: say.language, direction: directionOf(say.language) },
        story: story.map((text) => templates.render('paragraph', { text })),
        gift: gift === undefined ? new Html('') : templates.render('gift', gift, say),
        facts: facts.map(([name, value]) => templates.render('fact', { name, value })),
      },
      say,
    ).markup

  return async (order_id, kind, told, card) => {
    const say = theme.speakers[told.language]
    const item = oneLine(await nameOf(told.item_id))
    const amount = say.money(told.amount, told.currency)
    const values = { item, amount, charged: say.money(told.provider_amount ?? told.amount, told.currency) }
    const content: Content = {
      title: say(`mail.title.${kind}`),
      story: storyOf(kind, told).map((key) => say(key, values)),
      gift: giftOf(say, card),
      facts: [
        [say('common.item'), itemText(say, told.quantity, item)],
        [say('common.total'), amount],
        ...(kind === 'paid' ? paidFacts(say, told) : []),
        [say('common.order'), order_id],
      ],
      url: `${shopUrl}/checkout/${told.sale_id}?order=${order_id}`,
    }
    const subject = say(`mail.subject.${kind}`, values)
    return { subject, text: toText(say, content), html: toHtml(say, content) }
  }
}

function giftOf(say: Say, card: GiftCard | undefined): Content['gift'] {
  if (card === undefined) return undefined
  return {
    text: say('mail.gift.text', { amount: say.money(card.amount, card.currency) }),
    code: showGiftCode(card.code),
    until: say('mail.gift.until', { until: say.date(card.expires_at.getTime()) }),
  }
}

function paidFacts(
  say: Say,
  { provider, gift_amount, currency, paid_at }: Told,
): (readonly [string, string])[] {
  const means = paidWith(say, provider, gift_amount === 0 ? undefined : say.money(gift_amount, currency))
  return [
    ...(means === '' ? [] : [[say('order.paid_with'), means] as const]),
    ...(paid_at === null ? [] : [[say('order.paid_at'), say.date(paid_at.getTime())] as const]),
  ]
}

/** A name with line breaks or other control characters in it would break a subject or a line of a receipt. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
}
