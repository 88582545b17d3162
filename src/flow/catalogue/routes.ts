import { createRoute, z } from '@hono/zod-openapi'
import { IdParam, Product, SaleParam, SaleWithProducts } from '../../contracts/http.ts'
import { PUBLIC_JSON } from '../../platform/cache-control.ts'
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

/** Public and the same for everybody: an edge may keep each answer, as Cache-Control says. */
export function catalogueRoutes(
  app: App,
  { catalogue, queueUrl }: { catalogue: Catalogue; queueUrl: string },
) {
  app.openapi(listProducts, async (c) => {
    c.header('Cache-Control', PUBLIC_JSON)
    const [sales, products] = await Promise.all([catalogue.sales(), catalogue.products()])
    const rehearsals = new Set(sales.filter(({ rehearsal }) => rehearsal).map(({ id }) => id))
    return c.json({ products: products.filter(({ sale_id }) => !rehearsals.has(sale_id)) }, 200)
  })
  app.openapi(getProduct, async (c) => {
    const product = await catalogue.product(c.req.valid('param').id)
    if (product === undefined) throw new Problem('unknown_item')
    c.header('Cache-Control', PUBLIC_JSON)
    return c.json(product, 200)
  })
  app.openapi(getSale, async (c) => {
    const sale = await catalogue.sale(c.req.valid('param').sale)
    if (sale === undefined) throw new Problem('unknown_sale')
    c.header('Cache-Control', PUBLIC_JSON)
    const products = await catalogue.products(sale.id)
    return c.json({ ...sale, products, queue_url: `${queueUrl}/${sale.id}` }, 200)
  })
}
