import type { ItemId, SaleId } from '../../contracts/ids.ts'
import type { Picture } from './pictures.ts'

/** A sale as its operator set it up. Times in milliseconds since the epoch, durations in seconds. */
export interface Sale {
  readonly id: SaleId
  readonly name: string
  readonly opens_at: number
  readonly ends_at: number | null
  /** From when on people may join; null: from the creation on. */
  readonly lobby_opens_at: number | null
  /** When the page of the sale becomes the one of a sale that is over; null: not of itself. */
  readonly post_sale_at: number | null
  /** The operator's hand. What visitors see also depends on the time and the stock. */
  readonly state: 'open' | 'paused' | 'ended'
  /** People let through the waiting room per second. */
  readonly rate_per_second: number
  readonly payment_window_s: number
  readonly hold_s: number
  /** How long a pass of the waiting room is good for. */
  readonly pass_s: number
  /** How long a turn that has come may wait to be taken. */
  readonly turn_s: number
  /** Most people in checkout at once; null: no limit. */
  readonly checkout_cap: number | null
  /** People let into checkout for each unit that is available. */
  readonly checkouts_per_unit: number
  /** Standby: everybody walks through until more than so many arrive in a second; null: always a queue. */
  readonly standby_threshold: number | null
  /** Of the draw that orders the lobby; null: first come, first served. */
  readonly draw_commitment: string | null
  readonly message: string
  /** A copy of another sale to try everything on: not listed, and no real money moves for it. */
  readonly rehearsal: boolean
}

/** What belongs to a sale and is not for everybody's eyes. */
export interface SaleSecrets {
  /** 32 bytes, hex; null: no draw. */
  readonly draw_secret: string | null
  /** Settings of the guard, as they were given. */
  readonly guard: Record<string, unknown>
  /** What happens when more was sold than there is; defaults for what is left out. */
  readonly oversell: Record<string, unknown>
  /** The sale that it is a rehearsal of; null: it is none. */
  readonly rehearsal_of: SaleId | null
}

/** People who join with a code stand in a lane of their own. */
export interface Group {
  readonly sale_id: SaleId
  readonly id: string
  readonly name: string
  readonly code_hash: string
  readonly rate_per_second: number
  /** Most people that may join; null: no limit. */
  readonly places: number | null
}

/** One item of a sale as its operator sets it up. `amount` is the price of one unit in minor units. */
export interface NewProduct {
  readonly id: ItemId
  readonly sale_id: SaleId
  readonly name: string
  readonly description: string
  readonly amount: number
  readonly currency: string
  readonly units: number
  readonly per_buyer_limit: number
  /** Parts that its stock is split into, each on a Redis Cluster slot of its own; 1 where it is left out. */
  readonly stock_parts?: number | undefined
}

export interface Product extends NewProduct {
  readonly picture: Picture
}

export interface SaleChange {
  readonly state?: Sale['state']
  readonly opens_at?: number
  readonly rate_per_second?: number
  readonly message?: string
  readonly post_sale_at?: number
  /** null takes the cap away. */
  readonly checkout_cap?: number | null
}

export type CreateOutcome =
  | { readonly kind: 'created' }
  | { readonly kind: 'exists'; readonly what: 'sale' | 'product'; readonly id: string }
