import { isOver, saleMoment } from '../../contracts/sale-moment.ts'
import type { ItemId, SaleId } from '../../contracts/ids.ts'
import type { Language } from '../../contracts/words/say.ts'
import { offerOf, together, type Units } from '../../contracts/words/shop.ts'
import type { Assets } from '../../platform/assets.ts'
import type { Clock } from '../../platform/clock.ts'
import { Unavailable } from '../../platform/errors.ts'
import { projectPath } from '../../platform/project.ts'
import { createRenderings } from '../../platform/renderings.ts'
import { representBriefly, type Representation } from '../../platform/representation.ts'
import { readTemplates } from '../../platform/templates.ts'
import type { Catalogue, Sale } from './catalogue.ts'
import { type Head, headOf, structuredProduct } from './storefront-head.ts'
import { type SaleInShop, storefrontView } from './storefront-view.ts'

/** Who reads a page, as far as the page differs. */
export interface Reader {
  readonly language: Language
  /** The address names the language: it is that of this language's page alone. */
  readonly chosen: boolean
}

/** The pages of the shop as HTML; undefined where there is nothing to show. */
export interface Storefront {
  front(reader: Reader): Promise<Representation | undefined>
  product(id: ItemId, reader: Reader): Promise<Representation | undefined>
  sale(id: SaleId, reader: Reader): Promise<Representation | undefined>
}

export interface StorefrontParts {
  readonly catalogue: Pick<Catalogue, 'sale' | 'sales' | 'archived' | 'product' | 'products' | 'readAt'>
  /** Units of an item, at most a fifth of a second old. */
  readonly unitsOf: (item: ItemId) => Promise<Units | undefined>
  readonly assets: Pick<Assets, 'write' | 'theme'>
  readonly urls: { readonly shop: string; readonly queue: string }
  readonly clock: Clock
}

/** With the age of what `unitsOf` tells, within the second after which "sold out" must not be said of what is left. */
const FRESH_MS = 700
/** Renderings kept at once; about 40 KB each with all their encodings. */
const MOST = 1000
/** Longest wait for the stock: a page without it is better than none. */
const STOCK_PATIENCE_MS = 300
/** Sales and products older than this are told to be; much older they are not told at all. */
const [STALE_MS, TOO_STALE_MS] = [10_000, 15 * 60_000]
const MOST_SALES = 20

/**
 * Renders each page once in `FRESH_MS` for each language, whoever asks. While SQL is away the sales and products known
 * last are shown, with the time they are of, for a quarter of an hour; then, or where nothing was ever known, this throws
 * `Unavailable`. While Redis is away pages say that the stock is being counted.
 */
export function createStorefront({ catalogue, unitsOf, assets, urls, clock }: StorefrontParts): Storefront {
  const templates = readTemplates(projectPath('web/shop'))
  const { speakers, name } = assets.theme
  const rendered = createRenderings<Representation>({ clock, freshMs: FRESH_MS, most: MOST })

  const inShop = async (sale: Sale): Promise<SaleInShop> => {
    const products = await catalogue.products(sale.id)
    const units = new Map<ItemId, Units | undefined>()
    const done = new AbortController()
    const counted = Promise.all(
      products.map(async ({ id }) => {
        const found = await unitsOf(id).catch(() => undefined)
        units.set(id, found && together([found]))
      }),
    )
    await Promise.race([counted, clock.sleep(STOCK_PATIENCE_MS, done.signal)])
    done.abort()
    return { sale, products, units: new Map(units) }
  }
  /** Everything a page needs of one language, now. */
  const writing = ({ language, chosen }: Reader) => {
    const [say, now, readAt] = [speakers[language], clock.now(), catalogue.readAt() ?? 0]
    if (now - readAt > TOO_STALE_MS) throw new Unavailable('sales and products are known no more')
    const staleSince = now - readAt > STALE_MS ? readAt : undefined
    const view = storefrontView({ ...{ say, templates, now, staleSince }, queueUrl: urls.queue })
    const head = (what: Omit<Head, 'chosen'>) =>
      headOf(templates, say, { url: urls.shop, name }, { ...what, chosen })
    return { say, now, view, head }
  }
  const finish = (html: string) =>
    representBriefly('text/html; charset=utf-8', new TextEncoder().encode(html))

  const front = async (reader: Reader) => {
    const [all, archived] = await Promise.all([catalogue.sales(), catalogue.archived()])
    const sales = all.filter(({ id, rehearsal }) => !rehearsal && !archived.has(id))
    const isCurrent = (sale: Sale) => !isOver(saleMoment(sale, clock.now()))
    const current = await Promise.all(sales.filter(isCurrent).slice(0, MOST_SALES).map(inShop))
    const { say, view, head } = writing(reader)
    return finish(
      assets.write('shop', reader.language, {
        head: head({
          ...{ type: 'website', path: '/', listed: true, title: say('shop.title') },
          description: current.map(({ sale }) => sale.name).join(' · ') || say('shop.none'),
        }),
        notices: view.notices(),
        sales:
          current.length === 0 ? view.none() : current.map((shown, index) => view.sale(shown, index === 0)),
        earlier: view.earlier(sales),
        scene: view.scene(current),
      }),
    )
  }

  const product = async (id: ItemId, reader: Reader) => {
    const product = await catalogue.product(id)
    const sale = product && (await catalogue.sale(product.sale_id))
    if (product === undefined || sale === undefined) return undefined
    const shown = await inShop(sale)
    const { say, now, view, head } = writing(reader)
    const [units, path] = [shown.units.get(id), `/products/${id}`]
    const others = shown.products.some(
      (other) => other.id !== id && (shown.units.get(other.id)?.available ?? 0) > 0,
    )
    const offer = offerOf(say, { sale, units, now, others })
    const { name, description, amount, currency, picture, per_buyer_limit } = product
    const structured = structuredProduct(product, {
      shopUrl: urls.shop,
      state: offer.state,
      opens_at: sale.opens_at,
    })
    return finish(
      assets.write('product', reader.language, {
        head: head({
          ...{ type: 'product', path, title: name, picture, structured },
          description: description === '' ? name : description,
          listed: !sale.rehearsal,
        }),
        ...{ name, description, sale_id: sale.id, sale_name: sale.name },
        price: say.money(amount, currency),
        notices: view.notices(sale),
        message: view.message(shown, 'message'),
        picture: view.picture(product),
        offer: view.offer(shown, offer, units, path, per_buyer_limit),
        steps: view.steps(shown, offer),
        also: view.also(shown, product),
        scene: view.scene([shown]),
      }),
    )
  }

  const sale = async (id: SaleId, reader: Reader) => {
    const sale = await catalogue.sale(id)
    if (sale === undefined) return undefined
    const shown = await inShop(sale)
    const { say, now, view, head } = writing(reader)
    const [units, path] = [together(shown.products.map(({ id }) => shown.units.get(id))), `/sales/${id}`]
    const offer = offerOf(say, { sale, units, now })
    return finish(
      assets.write('sale', reader.language, {
        head: head({
          ...{ type: 'website', path, title: sale.name, picture: shown.products[0]?.picture },
          description: shown.products.map(({ name }) => name).join(' · '),
          listed: !sale.rehearsal,
        }),
        name: sale.name,
        notices: view.notices(sale),
        shop_link: view.link('/', say('shop.title')),
        message: view.message(shown, 'message'),
        offer: view.offer(shown, offer, units, path),
        cards: view.cards(shown, shown.products, 3),
        steps: view.steps(shown, offer),
        scene: view.scene([shown]),
      }),
    )
  }

  const key = (path: string, { language, chosen }: Reader) => `${path} ${language} ${chosen}`
  return {
    front: (reader) => rendered(key('/', reader), () => front(reader)),
    product: (id, reader) => rendered(key(`/products/${id}`, reader), () => product(id, reader)),
    sale: (id, reader) => rendered(key(`/sales/${id}`, reader), () => sale(id, reader)),
  }
}
