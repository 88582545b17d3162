import { createRoute, z } from '@hono/zod-openapi'
import { IdParam, Product, SaleParam, SaleStock, SaleWithProducts } from '../../contracts/http.ts'
import type { ItemId } from '../../contracts/ids.ts'
import type { Units } from '../../contracts/words/shop.ts'
import { publicStock } from '../../contracts/words/stock.ts'
import { NEWS } from '../../platform/cache-control.ts'
import type { Clock } from '../../platform/clock.ts'
import { Problem } from '../../platform/errors.ts'
import { type App, json, problems } from '../../platform/http.ts'
import type { Catalogue } from './catalogue.ts'

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
    200: json(SaleStock, 'What is left of each item whose stock is known; at most a second old'),
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
  app.openapi(getSaleStock, async (c) => {
    const { sale } = c.req.valid('param')
    if ((await catalogue.sale(sale)) === undefined) throw new Problem('unknown_sale')
    const products = await catalogue.products(sale)
    const now = clock.now()
    const items = await Promise.all(
      products.map(async ({ id }) => {
        const units = await unitsOf(id)
        return units === undefined ? [] : [publicStock(id, units, now)]
      }),
    )
    c.header('Cache-Control', NEWS)
    return c.json({ items: items.flat(), server_time: now }, 200)
  })
}
