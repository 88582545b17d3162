import type { ItemId } from '../../contracts/ids.ts'
import type { Inventory } from '../inventory/inventory.ts'
import type { Order } from '../orders/orders.ts'

export type ReconcileOutcome = 'clean' | 'repaired' | 'in_motion' | 'oversold' | 'refused'

/** What came of comparing. */
export interface Reconciled {
  readonly outcome: ReconcileOutcome
  /** Units Redis shows available beyond what SQL leaves (+) or short of it (-). */
  readonly drift: number
  readonly report: Record<string, unknown>
}

/** What is compared with the orders of its buyers: an item, or one part of an item whose stock is split. */
export interface Subject {
  readonly id: ItemId
  readonly stocks: Pick<
    Inventory,
    'stock' | 'holds' | 'unconfirmed' | 'lower' | 'fence' | 'adopt' | 'rebuild'
  >
  readonly orders: () => Promise<readonly Order[]>
  /** Units that there are; left out of a part, which has those it has and that its buyers have. */
  readonly units?: () => Promise<number>
  /** Of a part that is lost: units that are there and in no other. */
  readonly left?: number
  /** It may not sell, whatever it looks like: there are too few units in all. */
  readonly heldBack?: boolean
  /** Of a part: where the numbers of its claims begin, and its dealings with the others should it be lost. */
  readonly firstSeq?: number
  readonly links?: Readonly<Record<string, string>> | undefined
}
