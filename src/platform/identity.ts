import type { Context } from 'hono'
import type { UserId } from '../contracts/ids.ts'
import type { AppEnv } from './http.ts'

/** Who the buyer of a request is. Throws the problems `session_missing` and `session_invalid`. */
export interface Identity {
  /** The buyer; a guest without a session gets one with the answer. */
  user(c: Context<AppEnv>): Promise<UserId>
  /** The buyer, where there is one already. */
  known(c: Context<AppEnv>): Promise<UserId>
  /** The buyer's address, where the identity provider vouches for one. */
  email(c: Context<AppEnv>): Promise<string | undefined>
}
