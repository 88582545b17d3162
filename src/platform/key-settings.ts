import { OPERATOR_NAME, ROLES, type Role } from '../contracts/operators.ts'
import type { OperatorKey, TokenKey } from './config.ts'
import { SettingError } from './errors.ts'

/** `kid:base64url`. */
export function readTokenKey(pair: string): TokenKey {
  const [, kid, encoded] = /^([\w-]{1,32}):([\w-]{43,})=*$/.exec(pair) ?? []
  if (kid === undefined || encoded === undefined)
    throw new SettingError('TOKEN_KEYS holds a key that is not `kid:base64url` with at least 32 bytes')
  return { kid, secret: Buffer.from(encoded, 'base64url') }
}

/** `name:token` or `name:token:role`, and the token without a name. Whose role is not given is an admin. */
export function readOperators(token: string | undefined, pairs: readonly string[]): OperatorKey[] {
  const named = pairs.map((pair) => {
    const [name = '', token = '', role = 'admin', ...rest] = pair.split(':')
    if (!OPERATOR_NAME.test(name) || !/^\S{16,}$/.test(token) || !isRole(role) || rest.length > 0)
      throw new SettingError(
        'OPS_TOKENS holds one that is not `name:token` or `name:token:role`, with a token of at least 16 characters ' +
          'and the role viewer, operator or admin',
      )
    return { name, token, role }
  })
  const all = [
    ...(token === undefined ? [] : [{ name: 'operator', token, role: 'admin' as const }]),
    ...named,
  ]
  if (all.length === 0) throw new SettingError('OPS_TOKEN is missing: at least 16 random characters')
  // One token for two names, or one name with two, would make two persons of one.
  for (const field of ['name', 'token'] as const)
    if (new Set(all.map((key) => key[field])).size < all.length)
      throw new SettingError(`OPS_TOKENS gives the same ${field} twice, or that of OPS_TOKEN`)
  return all
}

const isRole = (text: string): text is Role => (ROLES as readonly string[]).includes(text)
