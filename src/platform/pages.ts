import type { Context } from 'hono'
import { CONSOLE_SCREENS } from '../contracts/console.ts'
import type { Language } from '../contracts/words/say.ts'
import { ASSET_PATH, type Assets } from './assets.ts'
import { ASSET, PAGE } from './cache-control.ts'
import { Problem } from './errors.ts'
import type { App, AppEnv } from './http.ts'
import { languageIn } from './language.ts'
import type { CardFields } from './provider-pages.ts'
import type { Representation } from './representation.ts'
import { type Allowed, pageHeaders } from './security-headers.ts'

/** Which page answers which path, per host. A parameter is read by the page's own script. */
const PAGES = {
  shop: {
    '/checkout/:sale': 'checkout',
    '/orders': 'orders',
  },
  queue: { '/:sale': 'waiting-room', '/:sale/draw': 'draw' },
  ops: Object.fromEntries(Object.values(CONSOLE_SCREENS).map((path) => [path, 'console'])),
} as const

/** Only what is on sale is for search engines. */
const NOTHING = 'User-agent: *\nDisallow: /\n'
const ROBOTS = {
  shop: 'User-agent: *\nDisallow: /api/\nDisallow: /checkout/\nDisallow: /orders\n',
  queue: NOTHING,
  ops: NOTHING,
} as const

/** The only page where a card is typed, and a script of others runs. */
const CARD_PAGE = 'checkout'
const VARY = 'Accept-Encoding'

export type PageHost = keyof typeof PAGES

/** Public origins without a trailing slash. */
export interface PageUrls {
  readonly shop: string
  readonly queue: string
  readonly ops: string
  /** Of the card provider, on the one page that takes a card. */
  readonly cards: CardFields
  /** Of the CAPTCHA provider's scripts and frames; none where the question is our own. */
  readonly captcha: readonly string[]
}

/**
 * Adds the pages of one host, the assets they need, and a 404 page for browsers (everything under /api/ and whoever
 * does not ask for HTML keeps problem+json). Mount it after the host's other routes: `/:sale` of the queue takes
 * every path of one segment that is left.
 */
export function mountPages(app: App, host: PageHost, assets: Assets, urls: PageUrls): void {
  const sender = pageSender(host, urls)
  const withCard = pageSender(host, urls, allowedWithCard(urls))
  const cache = host === 'ops' ? 'private, no-cache' : PAGE
  const sendPage = (c: Context<AppEnv>, name: string, status: 200 | 404 = 200) =>
    (name === CARD_PAGE ? withCard : sender)(
      c,
      assets.page(name, languageOf(c)),
      status === 200 ? cache : 'no-store',
      status,
    )

  app.get('/robots.txt', (c) => c.text(ROBOTS[host], 200, { 'Cache-Control': 'public, max-age=3600' }))
  for (const [path, name] of Object.entries(PAGES[host])) app.get(path, (c) => sendPage(c, name))

  // The waiting rooms have no list of their own; the shop has it.
  if (host === 'queue') app.get('/', (c) => c.redirect(`${urls.shop}/`, 302))

  app.get(`${ASSET_PATH}:name`, (c) => {
    const asset = assets.asset(c.req.param('name'))
    if (asset === undefined) throw new Problem('not_found')
    c.header('Vary', VARY)
    return send(c, asset, ASSET)
  })

  app.notFound((c) => {
    const wantsHtml = (c.req.header('accept') ?? '').includes('text/html')
    if (!wantsHtml || c.req.path.startsWith('/api/')) throw new Problem('not_found')
    return sendPage(c, 'not-found', 404)
  })
}

export type SendPage = (
  c: Context<AppEnv>,
  page: Representation,
  cacheControl: string,
  status?: 200 | 404,
) => Response

/** Sends pages of a host in the language of the request, each with all a page's answer needs. */
export function pageSender(
  host: PageHost,
  urls: PageUrls,
  allowed: Allowed = allowedOn(host, urls),
): SendPage {
  const headers = pageHeaders(allowed)
  return (c, page, cacheControl, status = 200) => {
    for (const [header, value] of Object.entries(headers)) c.header(header, value)
    c.header('Vary', `${VARY}, Accept-Language, Cookie, X-Language`)
    c.header('Content-Language', languageOf(c))
    return send(c, page, cacheControl, status)
  }
}

/** The one a page is shown in. */
export function languageOf(c: Context<AppEnv>): Language {
  return languageIn(c.req.raw.headers, c.req.query('lang'))
}

/** In the best encoding the client takes, or as "nothing new". Says nothing of what else the answer varies with. */
export function send(
  c: Context<AppEnv>,
  found: Representation,
  cache: string,
  status: 200 | 404 = 200,
): Response {
  c.header('Cache-Control', cache)
  c.header('ETag', found.etag)
  if (status === 200 && matches(c.req.header('if-none-match'), found.etag)) return c.body(null, 304)
  const encoding = bestEncoding(c.req.header('accept-encoding'))
  if (encoding !== 'identity') c.header('Content-Encoding', encoding)
  c.header('Content-Type', found.type)
  return c.body(found.bodies[encoding] as Uint8Array<ArrayBuffer>, status)
}

function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch?.split(',').some((tag) => tag.trim() === etag || tag.trim() === '*') ?? false
}

/** Brotli before gzip, among what the client accepts with a weight above 0. */
export function bestEncoding(accepted: string | undefined): keyof Representation['bodies'] {
  const accepts = (name: string) =>
    accepted?.split(',').some((part) => {
      const [coding, ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase())
      return coding === name && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
    })
  if (accepts('br')) return 'br'
  return accepts('gzip') ? 'gzip' : 'identity'
}

const SELF = "'self'"

function allowedOn(host: PageHost, { queue, captcha }: PageUrls): Allowed {
  switch (host) {
    case 'shop':
      return { scripts: [SELF], connections: [SELF, queue], trustedTypes: [] }
    case 'queue': {
      const sources = [SELF, ...captcha]
      if (captcha.length === 0) return { scripts: sources, connections: sources, trustedTypes: ['default'] }
      return { scripts: sources, styles: sources, connections: sources, frames: captcha }
    }
    case 'ops':
      return { scripts: [SELF], connections: [SELF], trustedTypes: [] }
  }
}

/** The card's fields are frames of the provider, drawn by its script; nobody else's runs beside it. */
function allowedWithCard({ queue, cards }: PageUrls): Allowed {
  return {
    scripts: [SELF, ...cards.scripts],
    connections: [SELF, queue, ...cards.connections],
    frames: cards.frames,
    payment: cards.frames.filter((origin) => !origin.includes('*')),
  }
}
