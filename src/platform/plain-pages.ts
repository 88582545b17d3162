import type { Context } from 'hono'
import type { CookieOptions } from 'hono/utils/cookie'
import type { Assets } from './assets.ts'
import type { Problem } from './errors.ts'
import type { AppEnv, FormRoutes } from './http.ts'
import { Html, readTemplates, type TemplateValue } from './templates.ts'
import { projectPath } from './project.ts'

/** Pages for browsers without scripts: made for each request, never cached, nothing inline. */
export interface PlainPages {
  /** A part of a page; see `web/plain/`. */
  readonly part: (name: string, values?: Readonly<Record<string, TemplateValue>>) => Html
  /** Nothing, where a hole stays empty. */
  readonly nothing: Html
  readonly send: (c: Context<AppEnv>, page: PlainPage) => Response
  /** A refusal as a page of its own. */
  readonly problem: (c: Context<AppEnv>, problem: Problem) => Response
}

export interface PlainPage {
  readonly title: string
  readonly content: Html
  readonly status?: number
  /** The page asks for itself again after so long, or for another address. */
  readonly refresh?: { readonly afterS: number; readonly path?: string }
}

export interface PlainUrls {
  readonly shop: string
  readonly queue: string
  /** Origins of others that a form may lead to. */
  readonly elsewhere?: readonly string[]
}

/** How long a page that could not be made waits before it tries again. */
const TRY_AGAIN_S = 5

export function createPlainPages(assets: Pick<Assets, 'style' | 'icon'>, urls: PlainUrls): PlainPages {
  const templates = readTemplates(projectPath('web/plain'))
  const nothing = new Html('')
  const headers = {
    'Content-Security-Policy': [
      "default-src 'none'",
      "style-src 'self'",
      "img-src 'self'",
      // A form of the waiting room may end, by redirects, in the shop.
      `form-action ${["'self'", urls.shop, ...(urls.elsewhere ?? [])].join(' ')}`,
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'Cache-Control': 'no-store',
    'Content-Type': 'text/html; charset=utf-8',
    // The browser tells its own origin with a form, and nobody else a path with an order's id.
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Opener-Policy': 'same-origin',
  }

  const send: PlainPages['send'] = (c, { title, content, status = 200, refresh }) => {
    const { style, icon } = assets
    const values = { title, content, style, icon, shop_url: urls.shop }
    const again =
      refresh === undefined
        ? nothing
        : templates.render('refresh', { after: Math.ceil(refresh.afterS), path: refresh.path ?? c.req.path })
    const page = templates.render('layout', { ...values, refresh: again })
    return c.body(page.markup, status as 200, headers)
  }
  return {
    part: templates.render,
    nothing,
    send,
    problem: (c, problem) => {
      const { title, detail = '', code } = problem.body()
      const passing = problem.status >= 500 && c.req.method === 'GET'
      return send(c, {
        title,
        status: problem.status,
        content: templates.render('message', {
          title,
          text: [
            detail,
            ...(code === 'internal' ? [`request_id: ${c.get('requestId')}.`] : []),
            ...(passing ? ['This page tries again by itself.'] : []),
          ].join(' '),
          actions: code === 'not_found' ? nothing : templates.render('again', { path: c.req.path }),
        }),
        ...(passing ? { refresh: { afterS: problem.retryAfterS ?? TRY_AGAIN_S } } : {}),
      })
    },
  }
}

/** A cookie named `__Host-...`: never from a subdomain, never over plain HTTP outside localhost; no script reads it. */
export function ownCookie(seconds: number): CookieOptions {
  return { path: '/', secure: true, httpOnly: true, sameSite: 'Lax', maxAge: seconds }
}

/** The addresses of a host that take forms, and how they say no. */
export function formRoutes(pages: PlainPages, origin: string, path: RegExp): FormRoutes {
  return { origin, path, problem: (c, problem) => pages.problem(c, problem) }
}
