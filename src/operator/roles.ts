import { atLeast, type Role } from '../contracts/operators.ts'

/** `anyone`: nobody is signed in yet. */
type Least = Role | 'anyone'

/**
 * The least role for each command of the operator's API, by method and path. Whatever only reads is for everybody who is
 * signed in unless it says otherwise; a command that is missing here is refused. What moves money, or decides how much may
 * be sold, is for admins.
 */
const LEAST: Readonly<Record<string, Least>> = {
  'GET *': 'viewer',

  'POST /session': 'anyone',
  'DELETE /session': 'viewer',
  'POST /session/password': 'viewer',
  'POST /session/totp': 'viewer',
  'PUT /session/totp': 'viewer',
  'DELETE /session/totp': 'viewer',

  'GET /operators': 'admin',
  'POST /operators': 'admin',
  'PATCH /operators/{name}': 'admin',

  'POST /sales': 'operator',
  'POST /sales/{sale}/rehearse': 'operator',
  'PUT /sales/{sale}': 'operator',
  'DELETE /sales/{sale}': 'operator',
  'POST /sales/{sale}/open': 'operator',
  'POST /sales/{sale}/pause': 'operator',
  'POST /sales/{sale}/resume': 'operator',
  'POST /sales/{sale}/end': 'operator',
  'POST /sales/{sale}/close': 'operator',
  'POST /sales/{sale}/standby': 'operator',
  'POST /sales/{sale}/groups': 'operator',
  'PUT /sales/{sale}/rate': 'operator',
  'PUT /sales/{sale}/cap': 'operator',
  'PUT /sales/{sale}/message': 'operator',

  'PUT /products/{id}/picture': 'operator',
  'DELETE /products/{id}/picture': 'operator',

  'POST /reconcile': 'operator',
  'POST /dead-letters/{id}/replay': 'operator',
  'POST /notices/retry': 'operator',

  'PUT /items/{id}/units': 'admin',
  'PUT /items/{id}/parts': 'operator',
  'POST /items/{id}/oversell/approve': 'admin',
}

/** `path`: below /api/operator, with its parameters in braces. Undefined: nobody may. */
export function leastRole(method: string, path: string): Least | undefined {
  const reading = method === 'HEAD' ? 'GET' : method
  return LEAST[`${reading} ${path}`] ?? LEAST[`${reading} *`]
}

export const mayDo = (role: Role, least: Least): boolean => least === 'anyone' || atLeast(role, least)
