import type { SaleId } from '../../contracts/ids.ts'

/** The line that everybody stands in; groups with a code have lanes of their own. */
export const MAIN_LANE = ''

/** Where suspected bots wait for a turn that never comes; it has no keys. */
export const DECOY_LANE = '~'

/** A place in one lane of a sale's waiting room. */
export interface Place {
  readonly sale: SaleId
  readonly lane: string
  readonly position: number
}

const queue = (sale: SaleId, lane: string) =>
  lane === MAIN_LANE ? `queue:{${sale}}` : `queue:{${sale}}:lane:${lane}`

/** Redis keys of a waiting room; the hash tag keeps them on one slot. All belong to this folder alone. */
export const keys = {
  queue,
  /** One bit a position: entered or not. */
  entered: (sale: SaleId, lane: string) => `${queue(sale, lane)}:entered`,
  /** One bit a position: the turn was asked for when there was no room. */
  asked: (sale: SaleId, lane: string) => `${queue(sale, lane)}:asked`,
  pass: ({ sale, lane, position }: Place) => `${queue(sale, lane)}:pass:${position}`,
  /** Positions that keep asking although there is no room, and when each asked last. */
  askers: (sale: SaleId, lane: string) => `${queue(sale, lane)}:askers`,
  askedAt: (sale: SaleId, lane: string) => `${queue(sale, lane)}:asked_at`,
  /** Positions that were let in past others who ask, and when. */
  passers: (sale: SaleId, lane: string) => `${queue(sale, lane)}:passers`,
  /** The latest joins by client key, over all lanes; see recent.lua. */
  joins: (sale: SaleId) => `queue:{${sale}}:joins`,
  /** Who is in checkout, over all lanes, with the time until which they count. */
  checkouts: (sale: SaleId) => `queue:{${sale}}:checkouts`,
}

/** The name of a place among those in checkout. */
export const memberOf = ({ lane, position }: Place) => `${memberPrefix(lane)}${position}`
/** What it begins with, before the position. */
export const memberPrefix = (lane: string) => (lane === MAIN_LANE ? '' : `${lane}.`)
