import type { UserId } from '../contracts/ids.ts'
import type { Asker } from './asker.ts'

/** Who the buyer of a request is. Throws the problems `session_missing` and `session_invalid`. */
export interface Identity {
  /** The buyer; a guest without a session gets one with the answer. */
  user(asker: Asker): Promise<UserId>
  /** The buyer, where there is one already. */
  known(asker: Asker): Promise<UserId>
  /** The buyer's address, where the identity provider vouches for one. */
  email(asker: Asker): Promise<string | undefined>
}
