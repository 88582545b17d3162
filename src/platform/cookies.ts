import type { CookieOptions } from 'hono/utils/cookie'

/** A cookie named `__Host-...`: never from a subdomain, never over plain HTTP outside localhost; no script reads it. */
export const ownCookie = (seconds: number) =>
  ({
    path: '/' as const,
    secure: true,
    httpOnly: true,
    sameSite: 'Lax',
    maxAge: seconds,
  }) satisfies CookieOptions
