import { createHash, timingSafeEqual } from 'node:crypto'
import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { OperatorKey } from '../platform/config.ts'
import { Problem } from '../platform/errors.ts'
import type { AppEnv } from '../platform/http.ts'
import type { Authority } from './commands.ts'

/** Who gives a command, and why. */
export type By = (c: Context<AppEnv>, reason: string) => Authority

/** The person behind the request; only where `operatorsOnly` let it through. */
export function operatorOf(c: Context<AppEnv>): string {
  const operator = c.get('operator')
  if (operator === undefined) throw new Problem('operator_only')
  return operator
}

/** Lets in whoever brings one of the tokens, and notes whose it is. Every token is compared, in constant time. */
export function operatorsOnly(keys: readonly OperatorKey[]) {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const known = keys.map(({ name, token }) => ({ name, expected: digest(`Bearer ${token}`) }))
  return createMiddleware<AppEnv>(async (c, next) => {
    const given = digest(c.req.header('authorization') ?? '')
    const [match] = known.filter(({ expected }) => timingSafeEqual(given, expected))
    if (match === undefined)
      throw new Problem('operator_only', 'Send an operator token as Authorization: Bearer.')
    c.set('operator', match.name)
    c.header('Cache-Control', 'no-store')
    await next()
  })
}
