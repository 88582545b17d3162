import type { Context } from 'hono'
import { setCookie } from 'hono/cookie'
import { isLanguage, type Language } from '../../contracts/words/say.ts'
import { ASSET, NEWS } from '../../platform/cache-control.ts'
import { Problem } from '../../platform/errors.ts'
import type { App, AppEnv } from '../../platform/http.ts'
import { LANGUAGE_COOKIE, LANGUAGE_COOKIE_OPTIONS } from '../../platform/language.ts'
import { languageOf, type SendPage } from '../../platform/pages.ts'
import type { Representation } from '../../platform/representation.ts'
import type { Sql } from '../../platform/postgres.ts'
import type { Catalogue } from './catalogue.ts'
import { createPictureFiles } from './picture-files.ts'
import { PICTURE_PATH } from './pictures.ts'
import { createStorefront, type Reader, type StorefrontParts } from './storefront.ts'

/** The shop's pages, whole before any script runs: the list of sales, a sale, a product. */
export function storefrontPages(
  app: App,
  {
    send,
    notFound,
    ...parts
  }: StorefrontParts & { send: SendPage; notFound: (language: Language) => Representation },
): void {
  const storefront = createStorefront(parts)
  const answer = async (
    c: Context<AppEnv>,
    page: (reader: Reader) => Promise<Representation | undefined>,
  ) => {
    const language = languageOf(c)
    const chosen = isLanguage(c.req.query('lang'))
    const found = await page({ language, chosen })
    if (found === undefined) return send(c, notFound(language), 'no-store', 404)
    if (!chosen) return send(c, found, NEWS)
    // Chosen on this page; the script keeps it itself, but there may be none.
    setCookie(c, LANGUAGE_COOKIE, language, LANGUAGE_COOKIE_OPTIONS)
    return send(c, found, 'private, no-cache')
  }
  app.get('/', (c) => answer(c, (reader) => storefront.front(reader)))
  app.get('/products/:id', (c) => answer(c, (reader) => storefront.product(c.req.param('id'), reader)))
  app.get('/sales/:sale', (c) => answer(c, (reader) => storefront.sale(c.req.param('sale'), reader)))
}

/** Adds the pictures of products to a host: pages show pictures of their own host only. */
export function createPictureRoutes({
  catalogue,
  database,
}: {
  catalogue: Pick<Catalogue, 'products'>
  database: Sql
}): (app: App) => void {
  const names = async () => (await catalogue.products()).map(({ name }) => name)
  const find = createPictureFiles(database, names)
  return (app) =>
    void app.get(`${PICTURE_PATH}:name`, async (c) => {
      const [hash = '', extension = ''] = c.req.param('name').split('.')
      const file = await find(hash, extension)
      if (file === undefined) throw new Problem('not_found')
      return c.body(file.body as Uint8Array<ArrayBuffer>, 200, {
        'Content-Type': file.type,
        'Cache-Control': ASSET,
        'X-Content-Type-Options': 'nosniff',
        // Whoever opens it by itself gets a picture and nothing that runs.
        'Content-Security-Policy': "default-src 'none'; sandbox",
      })
    })
}
