import type { ItemId } from '../../contracts/ids.ts'
import { type Part, partIndexOf, partsOf } from '../../contracts/parts.ts'
import type { PartStocks } from './part-stocks.ts'
import {
  type ClaimOutcome,
  type ClaimRequest,
  InventoryUnavailable,
  InventoryUnknown,
  type PartState,
} from './types.ts'

/** Units that one part has given and another not taken in yet. */
export interface Transfer {
  readonly from: number
  readonly to: number
  readonly number: number
  readonly units: number
}

/**
 * All parts of an item as they may have been at one moment, though each was read by itself: nothing is taken in here that
 * was not given yet. So no unit is seen twice or not at all, and what holds for good in it ("all sold") holds.
 */
export interface Cut {
  /** By part; undefined: its server is away. */
  readonly states: readonly (PartState | undefined)[]
  readonly onTheWay: readonly Transfer[]
}

export interface Transfers {
  look(item_id: ItemId, of: number): Promise<Cut>
  /** Takes units for a buyer from their part; where it has too few, others give theirs first. */
  claim(request: ClaimRequest, of: number): Promise<ClaimOutcome>
  /** Brings what is on its way to where it belongs, as far as the servers are there; how many units arrived. */
  finish(item_id: ItemId, of: number): Promise<number>
  /** Gives each part its share of what the first one has. */
  spread(item_id: ItemId, of: number): Promise<void>
}

/** How often a part that gave what the reading of another has not seen is read again. */
const READS = 10
/** How often a claim is tried again after its part was given units, which others may take before it. */
const ROUNDS = 8
/** The same while the server of a part is away: asking it may take its time. */
const ROUNDS_AWAY = 2
const NOTHING: Cut = { states: [], onTheWay: [] }
const DRY: ReadonlySet<ClaimOutcome['kind']> = new Set(['sold_out', 'held_out', 'not_enough_left'])

export function createTransfers(parts: PartStocks): Transfers {
  const stateOf = (part: Part) => unlessAway(parts.state(part))

  const look = async (item_id: ItemId, of: number): Promise<Cut> => {
    const all = partsOf(item_id, of)
    const states = await Promise.all(all.map(stateOf))
    for (let read = 1; ; read += 1) {
      // One that came back without its latest is no more to be waited for; it is fenced until reconciliation has seen to it.
      const isChecked = (part: Part) => states[part.index]?.stock?.run_id === parts.runId(part)
      const late = all.filter((part) => isLate(states, part.index) && isChecked(part))
      if (late.length === 0) return { states, onTheWay: onTheWay(states) }
      if (read === READS)
        throw new InventoryUnavailable(`the stock of ${item_id} keeps moving between its parts`)
      for (const part of late) states[part.index] = await stateOf(part)
    }
  }

  const arrive = async (item_id: ItemId, of: number, { from, to, number, units }: Transfer) => {
    const taken = await unlessAway(parts.takeIn({ item_id, index: to, of }, { from, number, units }))
    return taken === 'taken_in' ? units : 0
  }

  /** Brings available units into a part, those of the richest others first. Answers what was seen before that. */
  const fill = async (part: Part, wanted: () => number): Promise<Cut> => {
    const { item_id, index: to, of } = part
    const cut = await look(item_id, of)
    const available = cut.states.map((state) => state?.stock?.available ?? 0)
    // What somebody left on its way to another part would be out of reach.
    for (const transfer of cut.onTheWay)
      available[transfer.to] = (available[transfer.to] ?? 0) + (await arrive(item_id, of, transfer))
    let lacking = wanted() - (available[to] ?? 0)
    const others = [...available.entries()]
      .filter(([from, units]) => from !== to && units > 0)
      .sort(([, one], [, other]) => other - one)
    for (const [from, there] of others) {
      if (lacking <= 0) break
      // Half of it, since a part that has run dry will be asked again at once.
      const units = Math.max(lacking, Math.floor(there / 2))
      const taken = cut.states[to]?.taken.get(from) ?? 0
      const given = await unlessAway(parts.give({ item_id, index: from, of }, to, taken, units))
      if (given?.kind === 'given' || given?.kind === 'pending')
        lacking -= await arrive(item_id, of, { from, to, number: given.number, units: given.units })
    }
    return cut
  }
  const filling = new Map<string, { wanted: number; done: Promise<Cut> }>()
  /** For all whose part is being filled at once: they are many, and each would be back for the next one's unit. */
  const fillOnce = (part: Part, quantity: number): Promise<Cut> => {
    const key = `${part.item_id} ${part.index}`
    const found = filling.get(key)
    if (found !== undefined) {
      found.wanted += quantity
      return found.done
    }
    const asked = { wanted: quantity, done: Promise.resolve<Cut>(NOTHING) }
    filling.set(key, asked)
    asked.done = fill(part, () => asked.wanted).finally(() => filling.delete(key))
    return asked.done
  }

  return {
    look,
    claim: async (request, of) => {
      const { item_id, user_id, quantity } = request
      const part = { item_id, index: partIndexOf(user_id, of), of }
      for (let round = 1; ; round += 1) {
        const outcome = await parts.claim(request, part)
        if (!DRY.has(outcome.kind)) return outcome
        const { left, all } = sumOf(await fillOnce(part, quantity))
        if (left.available >= quantity && round < (all ? ROUNDS : ROUNDS_AWAY)) continue
        // While units may be somewhere nobody is told that there will be none.
        if (left.available >= quantity || !all) return { kind: 'held_out' }
        if (left.available > 0) return { kind: 'not_enough_left', available: left.available }
        return { kind: left.held > 0 ? 'held_out' : 'sold_out' }
      }
    },
    spread: async (item_id, of) => {
      const { states } = await look(item_id, of)
      const [first, ...others] = partsOf(item_id, of)
      const total = states[0]?.stock?.available ?? 0
      for (const part of first === undefined ? [] : others) {
        const { stock, taken } = states[part.index] ?? {}
        const units = shareOf(total, part) - (stock?.available ?? 0)
        if (first === undefined || units <= 0) continue
        const given = await parts.give(first, part.index, taken?.get(0) ?? 0, units)
        if (given.kind === 'given') await arrive(item_id, of, { ...given, from: 0, to: part.index })
      }
    },
    finish: async (item_id, of) => {
      let units = 0
      for (const transfer of (await look(item_id, of)).onTheWay) units += await arrive(item_id, of, transfer)
      return units
    },
  }
}

/** What a part begins with: all the same, the first ones a unit more where it does not come out even. */
export const shareOf = (total: number, { index, of }: Pick<Part, 'index' | 'of'>): number =>
  Math.floor(total / of) + (index < total % of ? 1 : 0)

/** What is said of a split item by the parts that were seen; `all`: every one was. Units on their way will be available. */
function sumOf({ states, onTheWay: moving }: Cut) {
  const stocks = states.flatMap((state) => state?.stock ?? [])
  const left = { available: moving.reduce((sum, { units }) => sum + units, 0), held: 0 }
  for (const { available, held } of stocks) {
    left.available += available
    left.held += held
  }
  return { left, all: stocks.length === states.length }
}

/** A part was read before it gave what another was seen to have taken in. */
export function isLate(states: Cut['states'], from: number): boolean {
  const source = states[from]
  if (source?.stock === undefined) return false
  return states.some(
    (state, to) => to !== from && (state?.taken.get(from) ?? 0) > (source.given.get(to)?.number ?? 0),
  )
}

export function onTheWay(states: Cut['states']): Transfer[] {
  return states.flatMap((source, from) =>
    [...(source?.given ?? [])].flatMap(([to, { number, units }]) => {
      const target = states[to]
      const arrived = target === undefined || number <= (target.taken.get(from) ?? 0)
      return arrived || units === 0 ? [] : [{ from, to, number, units }]
    }),
  )
}

async function unlessAway<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof InventoryUnavailable || error instanceof InventoryUnknown) return undefined
    throw error
  }
}
