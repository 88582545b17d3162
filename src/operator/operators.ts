import { createPasswords } from '../platform/passwords.ts'
import { type Accounts, createAccounts } from './accounts/accounts.ts'
import { createOwnAccount, type OwnAccount } from './accounts/own-account.ts'
import { createSessions, type SessionParts, type Sessions } from './accounts/sessions.ts'
import { createSignInLimits } from './accounts/sign-in-limits.ts'

export interface Operators {
  readonly accounts: Accounts
  readonly sessions: Sessions
  readonly ownAccount: OwnAccount
}

/** The people who run sales: their accounts, how they sign in, and what they change themselves. */
export function createOperators(
  parts: Pick<SessionParts, 'database' | 'clock'> & Parameters<typeof createSignInLimits>[0],
): Operators {
  const shared = { ...parts, passwords: createPasswords(), limits: createSignInLimits(parts) }
  return {
    accounts: createAccounts(shared),
    sessions: createSessions(shared),
    ownAccount: createOwnAccount(shared),
  }
}
