import type { OperatorKey, TokenKey } from './config.ts'
import { SettingError } from './errors.ts'

/** `kid:base64url`. */
export function readTokenKey(pair: string): TokenKey {
  const [, kid, encoded] = /^([\w-]{1,32}):([\w-]{43,})=*$/.exec(pair) ?? []
  if (kid === undefined || encoded === undefined)
    throw new SettingError('TOKEN_KEYS holds a key that is not `kid:base64url` with at least 32 bytes')
  return { kid, secret: Buffer.from(encoded, 'base64url') }
}

/** `name:token` pairs, and the token without a name. */
export function readOperators(token: string | undefined, pairs: readonly string[]): OperatorKey[] {
  const named = pairs.map((pair) => {
    const [, name, secret] = /^([a-z][a-z0-9._-]{0,31}):(\S{16,})$/.exec(pair) ?? []
    if (name === undefined || secret === undefined)
      throw new SettingError(
        'OPS_TOKENS holds one that is not `name:token` with a token of at least 16 characters',
      )
    return { name, token: secret }
  })
  const all = [...(token === undefined ? [] : [{ name: 'operator', token }]), ...named]
  if (all.length === 0) throw new SettingError('OPS_TOKEN is missing: at least 16 random characters')
  // One token for two names, or one name with two, would make two persons of one.
  for (const field of ['name', 'token'] as const)
    if (new Set(all.map((key) => key[field])).size < all.length)
      throw new SettingError(`OPS_TOKENS gives the same ${field} twice, or that of OPS_TOKEN`)
  return all
}
