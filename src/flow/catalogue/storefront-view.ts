import { isOver, saleMoment } from '../../contracts/sale-moment.ts'
import type { Say } from '../../contracts/words/say.ts'
import { stockState } from '../../contracts/words/stock.ts'
import { type Offer, offerOf, together, type Units, wayTo } from '../../contracts/words/shop.ts'
import { Html, jsonHtml, type Templates, type TemplateValues } from '../../platform/templates.ts'
import type { Product, Sale } from './catalogue.ts'

/** A sale as shop pages show it. */
export interface SaleInShop {
  readonly sale: Sale
  readonly products: readonly Product[]
  /** By item; one that is missing or undefined is not known right now. */
  readonly units: ReadonlyMap<string, Units | undefined>
}

/** What every page is made with. */
export interface Writing {
  readonly say: Say
  readonly templates: Templates
  readonly queueUrl: string
  /** Server time in ms. */
  readonly now: number
  /** Since when nothing new is known of sales and products; undefined where that is not long ago. */
  readonly staleSince: number | undefined
}

/** Of those a page shows. */
type TimeOfSale = 'lobby_opens_at' | 'opens_at' | 'ends_at'

const nothing = new Html('')
/** Products of a sale that are shown where the sale is not the subject. */
const [ON_THE_FRONT, BESIDE] = [6, 4]
const MOST_EARLIER = 10

/** Parts of shop pages. Everything that comes from the catalogue goes through a template, which escapes it. */
export function storefrontView({ say, templates, queueUrl, now, staleSince }: Writing) {
  const part = (name: string, values: TemplateValues = {}) => templates.render(name, values, say)
  /** `when`: which time of its sale it is, where the script is to follow it. */
  const moment = (ms: number, when: TimeOfSale | '' = '') =>
    part('moment', { iso: new Date(ms).toISOString(), text: say.moment(ms), when })
  const button = (href: string, text: string) => part('button', { href, text })

  const picture = ({ picture }: Product, loading: string) =>
    part('picture', { ...picture, loading: new Html(loading) })
  const stockOf = ({ units }: SaleInShop, { id }: Product) => {
    const known = units.get(id)
    return { stock_state: known === undefined ? 'unknown' : stockState(known), units: known }
  }
  const card = (shown: SaleInShop, product: Product, loading: string) => {
    const { stock_state, units } = stockOf(shown, product)
    return part('card', {
      ...{ id: product.id, name: product.name, price: say.money(product.amount, product.currency) },
      ...{ stock_state, stock: offerOf(say, { sale: shown.sale, units, now }).stock },
      picture: picture(product, loading),
    })
  }
  const LAZY = 'loading="lazy" decoding="async"'
  /** The first rows are seen at once: whoever waits for those waits for the page. */
  const cards = (shown: SaleInShop, products: readonly Product[], eager = 0) =>
    products.map((product, index) => card(shown, product, index < eager ? 'fetchpriority="high"' : LAZY))
  const allOf = ({ sale, products }: SaleInShop, shown: number) =>
    products.length > shown
      ? button(`/sales/${sale.id}`, say('shop.all_items', { count: products.length }))
      : nothing
  const message = ({ sale }: SaleInShop, id: string) =>
    part('message', { id, text: sale.message, hidden: hidden(sale.message) })
  /** The one way on, with scripts and without. */
  const way = ({ sale }: SaleInShop, offer: Offer, path: string) => {
    const queue = `${queueUrl}/${sale.id}`
    const asOf = part('as-of', { moment: moment(now), path })
    const plain = offer.way === 'queue' ? [part('plain', { queue }), asOf] : [asOf]
    return {
      ...{ button: offer.button, href: wayTo(offer.way, { queue, sale: sale.id }), plain },
      needs_scripts: offer.way === 'queue' ? 'needs-scripts' : '',
    }
  }
  const hidden = (text: string) => (text === '' ? new Html('hidden') : nothing)

  return {
    /** Above everything: what changes what the page means. */
    notices: (sale?: Sale): Html[] => [
      ...(sale?.rehearsal ? [part('notice', { text: say('shop.rehearsal'), moment: nothing })] : []),
      ...(staleSince === undefined
        ? []
        : [part('notice', { text: say('shop.stale'), moment: moment(staleSince) })]),
    ],
    message,
    picture: (product: Product) => picture(product, 'fetchpriority="high"'),
    cards,
    also: (shown: SaleInShop, product: Product): Html => {
      const others = shown.products.filter(({ id }) => id !== product.id)
      if (others.length === 0) return nothing
      return part('also', {
        cards: cards(shown, others.slice(0, BESIDE)),
        all: others.length > BESIDE ? allOf(shown, BESIDE) : nothing,
      })
    },
    /** What there is of one product, or of the whole sale, and the one button. */
    offer: (
      shown: SaleInShop,
      offer: Offer,
      units: Units | undefined,
      path: string,
      limit?: number,
    ): Html => {
      const { opens_at, ends_at, lobby_opens_at } = shown.sale
      const facts = [
        ...(offer.state === 'scheduled' && lobby_opens_at !== null
          ? [
              part('fact', {
                label: say('shop.lobby_opens'),
                value: moment(lobby_opens_at, 'lobby_opens_at'),
              }),
            ]
          : []),
        part('fact', { label: say('shop.opens'), value: moment(opens_at, 'opens_at') }),
        ...(ends_at === null
          ? []
          : [part('fact', { label: say('shop.ends'), value: moment(ends_at, 'ends_at') })]),
      ]
      const { state, title, badge, text, countdown, stock, left } = offer
      return part('offer', {
        ...{ state, title, badge, text, countdown, stock, left, facts },
        countdown_hidden: hidden(countdown),
        stock_state: units === undefined ? 'unknown' : stockState(units),
        limit: limit === undefined ? '' : say('shop.limit', { count: limit }),
        ...way(shown, offer, path),
      })
    },
    /** A sale among others. */
    sale: (shown: SaleInShop, first: boolean): Html => {
      const { sale, products } = shown
      const units = together(products.map(({ id }) => shown.units.get(id)))
      const offer = offerOf(say, { sale, units, now })
      const { state, badge, live_badge } = offer
      return part('sale', {
        ...{ id: sale.id, name: sale.name, state, badge, live_badge },
        opens: moment(sale.opens_at, 'opens_at'),
        message: message(shown, `message-${sale.id}`),
        cards: cards(shown, products.slice(0, ON_THE_FRONT), first ? 3 : 0),
        all: allOf(shown, ON_THE_FRONT),
        ...way(shown, offer, '/'),
      })
    },
    earlier: (sales: readonly Sale[]): Html => {
      const ended = sales
        .filter((sale) => saleMoment(sale, now) === 'ended')
        .toSorted((a, b) => b.opens_at - a.opens_at)
        .slice(0, MOST_EARLIER)
      if (ended.length === 0) return nothing
      return part('earlier', {
        sales: ended.map(({ id, name, opens_at }) =>
          part('earlier-sale', { id, name, opens: moment(opens_at) }),
        ),
      })
    },
    none: () => part('none'),
    link: (href: string, text: string) => part('link', { href, text }),
    /** How a buyer gets it; nothing where nobody can any more. */
    steps: ({ sale }: SaleInShop, { state }: Offer): Html =>
      isOver(state)
        ? nothing
        : part('steps', {
            join: say(sale.draw_commitment === null ? 'shop.next.fifo' : 'shop.next.draw'),
            pay: say('shop.next.pay', { time: say.span(sale.payment_window_s) }),
          }),
    /** What the page's script goes on with. */
    scene: (sales: readonly SaleInShop[]): Html =>
      part('scene', {
        data: jsonHtml({
          server_time: now,
          sales: sales.map(({ sale, products, units }) => {
            const { id, state, opens_at, ends_at, lobby_opens_at, post_sale_at } = sale
            const items = products.map((product) => ({
              id: product.id,
              units: units.get(product.id) ?? null,
            }))
            return { id, state, opens_at, ends_at, lobby_opens_at, post_sale_at, items }
          }),
        }),
      }),
  }
}
