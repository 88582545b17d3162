import { createRoute, z } from '@hono/zod-openapi'
import {
  IdParam,
  Product,
  SaleParam,
  SaleStock as SaleStockShape,
  SaleWithProducts,
} from '../../contracts/http.ts'
import type { ItemId } from '../../contracts/ids.ts'
import type { SaleStock } from '../../contracts/shapes.ts'
import type { Units } from '../../contracts/words/shop.ts'
import { publicStock } from '../../contracts/words/stock.ts'
import { NEWS } from '../../platform/cache-control.ts'
import type { Clock } from '../../platform/clock.ts'
import { Problem } from '../../platform/errors.ts'
import { type App, json, problems } from '../../platform/http.ts'
import { send } from '../../platform/pages.ts'
import { createRenderings } from '../../platform/renderings.ts'
import { representBriefly, type Representation } from '../../platform/representation.ts'
import type { Catalogue } from './catalogue.ts'

/** A sale of many products is many bytes: counted and packed once for all who ask. With the age of `unitsOf`, a third of a second. */
const STOCK_FRESH_MS = 100
const MOST_SALES = 200

const listProducts = createRoute({
  method: 'get',
  path: '/api/products',
  responses: {
    200: json(z.object({ products: z.array(Product) }), 'All products, but for those of rehearsals'),
  },
})
const getProduct = createRoute({
  method: 'get',
  path: '/api/products/{id}',
  request: { params: IdParam },
  responses: { 200: json(Product, 'One product'), ...problems('unknown_item') },
})
const getSale = createRoute({
  method: 'get',
  path: '/api/sales/{sale}',
  request: { params: SaleParam },
  responses: { 200: json(SaleWithProducts, 'A sale and its products'), ...problems('unknown_sale') },
})

const getSaleStock = createRoute({
  method: 'get',
  path: '/api/sales/{sale}/stock',
  request: { params: SaleParam },
  responses: {
    200: json(SaleStockShape, 'What is left of each item whose stock is known; at most a second old'),
    ...problems('unknown_sale'),
  },
})

export interface CatalogueRouteParts {
  readonly catalogue: Catalogue
  readonly queueUrl: string
  readonly unitsOf: (item: ItemId) => Promise<Units | undefined>
  readonly clock: Clock
}

/** Public and the same for everybody: an edge may keep each answer, as Cache-Control says. */
export function catalogueRoutes(app: App, { catalogue, queueUrl, unitsOf, clock }: CatalogueRouteParts) {
  app.openapi(listProducts, async (c) => {
    c.header('Cache-Control', NEWS)
    const [sales, products] = await Promise.all([catalogue.sales(), catalogue.products()])
    const rehearsals = new Set(sales.filter(({ rehearsal }) => rehearsal).map(({ id }) => id))
    return c.json({ products: products.filter(({ sale_id }) => !rehearsals.has(sale_id)) }, 200)
  })
  app.openapi(getProduct, async (c) => {
    const product = await catalogue.product(c.req.valid('param').id)
    if (product === undefined) throw new Problem('unknown_item')
    c.header('Cache-Control', NEWS)
    return c.json(product, 200)
  })
  app.openapi(getSale, async (c) => {
    const sale = await catalogue.sale(c.req.valid('param').sale)
    if (sale === undefined) throw new Problem('unknown_sale')
    c.header('Cache-Control', NEWS)
    const products = await catalogue.products(sale.id)
    return c.json({ ...sale, products, queue_url: `${queueUrl}/${sale.id}` }, 200)
  })
  const counted = createRenderings<Representation>({ clock, freshMs: STOCK_FRESH_MS, most: MOST_SALES })
  const count = async (sale: string): Promise<Representation | undefined> => {
    if ((await catalogue.sale(sale)) === undefined) return undefined
    const products = await catalogue.products(sale)
    const server_time = clock.now()
    const items = await Promise.all(
      products.map(async ({ id }) => {
        const units = await unitsOf(id)
        return units === undefined ? [] : [publicStock(id, units, server_time)]
      }),
    )
    const answer: SaleStock = { items: items.flat(), server_time }
    return representBriefly('application/json', new TextEncoder().encode(JSON.stringify(answer)))
  }
  app.openAPIRegistry.registerPath(getSaleStock)
  app.get('/api/sales/:sale/stock', async (c) => {
    const sale = c.req.param('sale')
    const found = await counted(sale, () => count(sale))
    if (found === undefined) throw new Problem('unknown_sale')
    c.header('Vary', 'Accept-Encoding')
    return send(c, found, NEWS)
  })
}
