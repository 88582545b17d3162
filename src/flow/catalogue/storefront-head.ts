import type { ShopState } from '../../contracts/sale-moment.ts'
import { decimalAmount } from '../../contracts/words/money.ts'
import { LANGUAGES, type Say } from '../../contracts/words/say.ts'
import { Html, jsonHtml, type Templates } from '../../platform/templates.ts'
import type { Picture, Product } from './catalogue.ts'

/** What search engines and those who share a link read of a page. */
export interface Head {
  readonly type: 'website' | 'product'
  readonly title: string
  readonly description: string
  /** Of the page, on the shop's host. */
  readonly path: string
  /** It was asked for at the address of its language; else at the one that speaks the reader's. */
  readonly chosen: boolean
  /** Whether search engines may list it. */
  readonly listed: boolean
  readonly picture?: Picture | undefined
  readonly structured?: object | undefined
}

/** Characters of a description; a preview shows no more. */
const LONGEST = 160

/** The page's own part of the document's head. Each language of a page has an address of its own. */
export function headOf(
  templates: Templates,
  say: Say,
  shop: { readonly url: string; readonly name: string },
  head: Head,
): Html {
  const part = (name: string, values: Record<string, string | number | Html>) =>
    templates.render(name, values, say)
  const address = `${shop.url}${head.path}`
  const alternate = (language: string, href: string) => part('alternate', { language, href })
  const { picture, structured } = head
  const image =
    picture === undefined || picture.path.endsWith('.svg')
      ? new Html('')
      : part('image', { ...picture, href: shop.url + picture.path })
  return templates.render(
    'head',
    {
      shop_name: shop.name,
      ...{ type: head.type, title: head.title, language: say.language, image },
      description: shortened(head.description),
      robots: head.listed ? 'index, follow' : 'noindex',
      canonical: head.chosen ? `${address}?lang=${say.language}` : address,
      alternates: [
        ...LANGUAGES.map((language) => alternate(language, `${address}?lang=${language}`)),
        alternate('x-default', address),
      ],
      structured:
        structured === undefined ? new Html('') : part('structured', { data: jsonHtml(structured) }),
    },
    say,
  )
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  const characters = [...line]
  return characters.length <= LONGEST ? line : `${characters.slice(0, LONGEST - 1).join('')}…`
}

const AVAILABILITY: Readonly<Record<ShopState, string>> = {
  scheduled: 'PreOrder',
  lobby: 'PreOrder',
  open: 'InStock',
  paused: 'InStock',
  // Some may return.
  held_out: 'OutOfStock',
  sold_out: 'SoldOut',
  ended: 'Discontinued',
  post_sale: 'Discontinued',
}

/** A product and its price as schema.org has them. */
export function structuredProduct(
  product: Product,
  { shopUrl, state, opens_at }: { shopUrl: string; state: ShopState; opens_at: number },
): object {
  const { id, name, description, amount, currency, picture } = product
  return {
    '@context': 'https://schema.org',
    '@type': 'Product',
    ...{ name, sku: id, image: shopUrl + picture.path },
    ...(description === '' ? {} : { description }),
    offers: {
      '@type': 'Offer',
      url: `${shopUrl}/products/${id}`,
      price: decimalAmount(amount, currency),
      priceCurrency: currency,
      availability: `https://schema.org/${AVAILABILITY[state]}`,
      availabilityStarts: new Date(opens_at).toISOString(),
    },
  }
}
