import type { Context } from 'hono'
import { setCookie } from 'hono/cookie'
import { problemText } from '../contracts/words/problem.ts'
import { directionOf, isLanguage, LANGUAGE_NAMES, LANGUAGES, type Say } from '../contracts/words/say.ts'
import type { Assets } from './assets.ts'
import type { Problem } from './errors.ts'
import type { AppEnv, FormRoutes } from './http.ts'
import { LANGUAGE_COOKIE, LANGUAGE_COOKIE_OPTIONS } from './language.ts'
import { languageOf } from './pages.ts'
import { pageHeaders } from './security-headers.ts'
import { Html, readTemplates, type TemplateValues } from './templates.ts'
import { projectPath } from './project.ts'

/** Pages for browsers without scripts: made for each request, never cached, nothing inline. */
export interface PlainPages {
  /** The page that answers a request, in its language. */
  readonly of: (c: Context<AppEnv>) => PlainWriter
}

export interface PlainWriter {
  readonly say: Say
  /** Of the request: where its forms go. */
  readonly path: string
  /** A part of the page; see `web/plain/`. */
  readonly part: (name: string, values?: TemplateValues) => Html
  /** Nothing, where a hole stays empty. */
  readonly nothing: Html
  readonly send: (page: PlainPage) => Response
}

export interface PlainPage {
  readonly title: string
  readonly content: Html
  readonly status?: number
  readonly refresh?: Refresh
}

/** The page asks for itself again after so long, or for another address. */
interface Refresh {
  readonly afterS: number
  readonly path?: string
}

export interface PlainUrls {
  readonly shop: string
  readonly queue: string
  /** Origins of others that a form may lead to. */
  readonly elsewhere?: readonly string[]
}

/** How long a page that could not be made waits before it tries again. */
const TRY_AGAIN_S = 5

export function createPlainPages(
  assets: Omit<Assets, 'page' | 'write' | 'asset'>,
  urls: PlainUrls,
): PlainPages {
  const templates = readTemplates(projectPath('web/plain'))
  const nothing = new Html('')
  const { style, icon, iconType, brand, theme } = assets
  const headers = {
    // A form of the waiting room may end, by redirects, in the shop.
    ...pageHeaders({ forms: ["'self'", urls.shop, ...(urls.elsewhere ?? [])] }),
    'Cache-Control': 'no-store',
    'Content-Type': 'text/html; charset=utf-8',
  }

  return {
    of: (c) => {
      const say = theme.speakers[languageOf(c)]
      // Chosen on this page; pages with scripts keep it themselves.
      if (isLanguage(c.req.query('lang')))
        setCookie(c, LANGUAGE_COOKIE, say.language, LANGUAGE_COOKIE_OPTIONS)
      const part: PlainWriter['part'] = (name, values) => templates.render(name, values, say)
      return {
        ...{ say, part, nothing },
        path: c.req.path,
        send: ({ title, content, status = 200, refresh }) => {
          const again = refresh === undefined ? undefined : refreshing(c, say, part, refresh)
          const page = part('layout', {
            ...{ title, content, style, icon, brand, icon_type: iconType },
            ...{ shop_name: theme.name, shop_url: urls.shop },
            ...{ language: say.language, direction: directionOf(say.language) },
            languages: LANGUAGES.map((to) =>
              part(to === say.language ? 'this-language' : 'language', { to, name: LANGUAGE_NAMES[to] }),
            ),
            refresh: again?.words ?? nothing,
          })
          return c.body(page.markup, status as 200, {
            ...{ ...headers, 'Content-Language': say.language },
            ...(again?.header === undefined ? {} : { Refresh: again.header }),
          })
        },
      }
    },
  }
}

/** By the header. Who reads slowly, or has the page read out, may keep it from being taken away. */
function refreshing(
  c: Context<AppEnv>,
  say: Say,
  part: PlainWriter['part'],
  { afterS, path = c.req.path }: Refresh,
) {
  if (c.req.query('still') !== undefined) return { words: part('still', { path }) }
  const after = Math.ceil(afterS)
  return {
    words: part('refresh', { words: say('plain.refresh_in', { after }), path }),
    header: `${after}; url=${path}`,
  }
}

/** A refusal as a page of its own. */
function problemPage({ say, part, nothing, path, send }: PlainWriter, c: Context<AppEnv>, problem: Problem) {
  const { title, detail } = problemText(say, problem.body())
  const passing = problem.status >= 500 && c.req.method === 'GET'
  return send({
    title,
    status: problem.status,
    content: part('message', {
      title,
      text: [
        detail,
        ...(problem.code === 'internal' ? [`request_id: ${c.get('requestId')}.`] : []),
        ...(passing ? [say('problems.tries_again')] : []),
      ].join(' '),
      actions: problem.code === 'not_found' ? nothing : part('again', { path }),
    }),
    ...(passing ? { refresh: { afterS: problem.retryAfterS ?? TRY_AGAIN_S } } : {}),
  })
}

/** The addresses of a host that take forms, and how they say no. */
export function formRoutes(pages: PlainPages, path: RegExp): FormRoutes {
  return { path, problem: (c, problem) => problemPage(pages.of(c), c, problem) }
}
