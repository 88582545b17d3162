import type { CookieOptions } from 'hono/utils/cookie'
import { isLanguage, type Language } from '../contracts/words/say.ts'

/** Keeps what the reader chose on a page, on this host; not a secret, and read by the page's script. */
export const LANGUAGE_COOKIE = 'lang'

export const LANGUAGE_COOKIE_OPTIONS: CookieOptions = {
  path: '/',
  secure: true,
  sameSite: 'Lax',
  maxAge: 365 * 24 * 3600,
}

/** What a request says about the language its sender wants. */
export interface Wishes {
  /** What an edge in front of us made of the same wishes: both must choose alike, so it decides. */
  readonly edge: string | undefined
  /** Chosen on a page: in the address, or kept from before. */
  readonly query: string | undefined
  readonly cookie: string | undefined
  readonly acceptLanguage: string | undefined
}

/** One of our languages; English where none is wanted. */
export function chooseLanguage({ edge, query, cookie, acceptLanguage }: Wishes): Language {
  const chosen = [edge, query, cookie].find(isLanguage)
  return chosen ?? accepted(acceptLanguage ?? '').find(isLanguage) ?? 'en'
}

/** Of a request without an address of its own, as a page's script sends them. */
export function languageIn(headers: Headers, query?: string): Language {
  const cookies = headers.get('cookie')?.split(/; */) ?? []
  return chooseLanguage({
    edge: headers.get('x-language') ?? undefined,
    query,
    cookie: cookies.find((pair) => pair.startsWith(`${LANGUAGE_COOKIE}=`))?.slice(LANGUAGE_COOKIE.length + 1),
    acceptLanguage: headers.get('accept-language') ?? undefined,
  })
}

/** Languages without their regions, the most wanted first (RFC 9110, section 12.5.4). */
function accepted(header: string): string[] {
  return header
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase())
      const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
      return { language: tag.split('-')[0] ?? '', weight: weight === undefined ? 1 : Number(weight) }
    })
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.weight - a.weight)
    .map(({ language }) => language)
}
