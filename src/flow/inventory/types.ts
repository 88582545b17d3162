import type { ItemId, OrderId, SaleId, UserId } from '../../contracts/ids.ts'
import { Unavailable } from '../../platform/errors.ts'

/** `open` sells between `opens_at` and `ends_at`; the others sell nothing. */
export type ItemState = 'open' | 'paused' | 'ended'

/** An item to put on sale. Times are milliseconds since the epoch. */
export interface LoadItem {
  readonly item_id: ItemId
  readonly sale_id: SaleId
  /** Units there are to sell. */
  readonly total: number
  readonly state: ItemState
  readonly opens_at: number
  /** null: never. */
  readonly ends_at: number | null
  /** Parts that its stock is split into; 1 where it is left out. */
  readonly parts?: number | undefined
}

/** What an operator may change; what is not named stays as it is. */
export interface ItemChange {
  readonly state?: ItemState
  readonly opens_at?: number
  readonly ends_at?: number | null
}

/** The counters of an item. `available + held + sold = total`, always. */
export interface Stock {
  readonly total: number
  readonly available: number
  readonly held: number
  readonly sold: number
  /** `claim_seq` of the latest claim. */
  readonly seq: number
  readonly state: ItemState
  readonly opens_at: number
  readonly ends_at: number | null
  readonly sale_id: SaleId
  /** Rises with every adopt and rebuild. */
  readonly epoch: number
  /** The server process the item was last checked on; claims through another are fenced. Empty: through any. */
  readonly run_id: string
}

export interface ClaimRequest {
  readonly item_id: ItemId
  /** Parts that the item's stock is split into; 1 where it is left out. Whoever is mistaken is fenced. */
  readonly parts?: number | undefined
  /** Also the idempotency key: claiming it again tells what became of it and takes nothing. */
  readonly order_id: OrderId
  readonly user_id: UserId
  readonly quantity: number
  /** Most units, held and sold together, that one buyer may have of this item. */
  readonly limit: number
  /** Price of the whole order in minor units; carried into the event. */
  readonly amount: number
  /** ISO 4217, upper case. */
  readonly currency: string
  /** How long the units are held, in ms from the claim. */
  readonly hold_ms: number
  /** How long the buyer may pay, in ms from the claim. */
  readonly pay_ms: number
  /** It was reserved before, and lost: a sale that is paused or over keeps its word all the same. */
  readonly restored?: boolean
}

/** Times of a hold, in ms on the Redis server's clock. */
export interface ClaimTimes {
  readonly claim_seq: number
  readonly timestamp: number
  readonly pay_by: number
  readonly hold_expires_at: number
}

/** What became of a claim; claim.lua tells each word's meaning. */
export type ClaimOutcome =
  | ({ readonly kind: 'reserved' } & ClaimTimes)
  /** Claimed before. `quantity` 0: released since. `hold` is there while the units are held. */
  | { readonly kind: 'repeated'; readonly quantity: number; readonly hold?: ClaimTimes }
  | { readonly kind: 'not_enough_left'; readonly available: number }
  | {
      readonly kind:
        | 'limit_reached'
        | 'sold_out'
        | 'held_out'
        | 'not_open'
        | 'paused'
        | 'ended'
        | 'foreign'
        | 'fenced'
        | 'unloaded'
    }

/** A hold that has not been settled or released yet. Times in ms on the Redis server's clock. */
export interface DueHold {
  readonly order_id: OrderId
  readonly user_id: UserId
  readonly quantity: number
  readonly deadline: number
  readonly claim_seq: number
  readonly created_at: number
  readonly pay_by: number
}

/** The truth about an item as reconciliation has gathered it. */
export interface RebuildItem extends LoadItem {
  readonly sold: number
  /** Highest `claim_seq` known from anywhere, the damaged stock included. */
  readonly seq: number
  /** Epoch of the stock that was seen; 0 where there was none. */
  readonly epoch: number
  /** The stock when the truth was read: rebuilt only if it still is exactly that. Left out where there was none. */
  readonly seen?: Stock | undefined
  /** `run_id` of the server the truth was read from. */
  readonly run_id: string
  /** Nothing is claimed of it all the same: more is sold and held than there is. */
  readonly fenced?: boolean
  /** Fields of the stock that say what a lost part has had from the others and given to them. */
  readonly links?: Readonly<Record<string, string>> | undefined
  readonly holds: readonly DueHold[]
  /** Orders that are not held: sold ones with their quantity, ended ones with 0. For limit and idempotency. */
  readonly orders: readonly {
    readonly order_id: OrderId
    readonly user_id: UserId
    readonly quantity: number
  }[]
}

/** What became of asking a part for units for another one; give.lua tells each word's meaning. */
export type Given =
  | { readonly kind: 'given' | 'pending'; readonly number: number; readonly units: number }
  | { readonly kind: 'nothing' | 'fenced' | 'unloaded' }

/** One part of an item, read in one command. */
export interface PartState {
  /** undefined: lost, or damaged. */
  readonly stock: Stock | undefined
  /** By part: the number and the units of the last giving to it. */
  readonly given: ReadonlyMap<number, { readonly number: number; readonly units: number }>
  /** By part: the number of the last giving from it that was taken in; `sql`: of those from outside of all parts. */
  readonly taken: ReadonlyMap<number | 'sql', number>
}

/** Nothing was done: there is no connection, or the server refused before any write. Try again later. */
export class InventoryUnavailable extends Unavailable {
  override readonly name = 'InventoryUnavailable'
}

/** The answer was lost: it may have been done or not. Asking again with the same order_id tells which. */
export class InventoryUnknown extends Unavailable {
  override readonly name = 'InventoryUnknown'
}
