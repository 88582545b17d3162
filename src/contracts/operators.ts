/** What an operator may do, from the least to the most. */
export const ROLES = ['viewer', 'operator', 'admin'] as const
export type Role = (typeof ROLES)[number]

export const atLeast = (role: Role, least: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(least)

/** Of an account, and of the owner of a token: who bears the same name is one person. */
export const OPERATOR_NAME = /^[a-z][a-z0-9._-]{0,31}$/
export const OPERATOR_NAME_RULE =
  'a lower-case letter, then at most 31 of lower-case letters, digits, dot, underscore and hyphen'

/** Of a password, in characters. */
export const PASSWORD_LENGTH = { least: 12, most: 200 } as const

/** What is wrong with a password that somebody chooses for this account, if anything. */
export function unfitPassword(name: string, password: string): string | undefined {
  const { least, most } = PASSWORD_LENGTH
  if (password.length < least) return `a password has at least ${least} characters`
  if (password.length > most) return `a password has at most ${most} characters`
  if (password.toLowerCase().trim() === name) return 'a password is not the name'
  return undefined
}
