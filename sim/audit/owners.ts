import { partsOf, readOwner } from '../../src/contracts/parts.ts'
import { partOwner } from '../../src/flow/inventory/keys.ts'

/** An item to look at, with the parts that its stock is split into. */
export interface Sampled {
  readonly id: string
  /** Left out: it is not split. */
  readonly stock_parts?: number | undefined
}

/** Whose keys in Redis belong to an item. */
export const ownersOf = ({ id, stock_parts = 1 }: Sampled) =>
  partsOf(id, stock_parts).map((part) => {
    const owner = partOwner(part)
    return { item_id: id, owner, part: readOwner(owner).part }
  })

/** Names an outbox entry of an item: those of different parts may have one id. */
export const placeOf = (part: string | undefined, outbox_id: string): string =>
  part === undefined ? outbox_id : `${part} ${outbox_id}`
