import type { CookieOptions } from 'hono/utils/cookie'

/** A cookie named `__Host-...`: never from a subdomain, never over plain HTTP outside localhost; no script reads it. */
export function ownCookie(seconds: number): CookieOptions {
  return { path: '/', secure: true, httpOnly: true, sameSite: 'Lax', maxAge: seconds }
}
