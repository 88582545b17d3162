import type { ItemId } from '../../contracts/ids.ts'
import { type Part, partIndexOf, partsOf } from '../../contracts/parts.ts'
import type { Clock } from '../../platform/clock.ts'
import { Unavailable } from '../../platform/errors.ts'
import { type Cut, firstSeq, type Inventory } from '../inventory/inventory.ts'
import type { Order, Orders } from '../orders/orders.ts'
import { unitsOf } from './compare.ts'
import type { Reconciled, ReconcileOutcome, Subject } from './subject.ts'

export interface SplitParts {
  readonly inventory: Pick<Inventory, 'parts' | 'transfers'>
  readonly orders: Pick<Orders, 'forItem'>
  readonly units: (item: ItemId) => Promise<number | undefined>
  /** Whether SQL has everything that left the outboxes before this Redis server was met. */
  readonly inSql: (run_id: string) => Promise<boolean>
  readonly reconcile: (subject: Subject, checkedOn: string | undefined) => Promise<Reconciled>
  readonly clock: Clock
}

/** Units are added only where nothing has changed between two looks so far apart. */
const QUIET_MS = 50
/** The worst of its parts is what is said of an item. */
const WORST: readonly ReconcileOutcome[] = ['refused', 'oversold', 'in_motion', 'repaired', 'clean']

/**
 * An item whose stock is split. Each part is compared with the orders of its buyers as an item is, but that its units are
 * those it has: how many there are is said of all parts together, and of what is on its way between them.
 *
 * A part that is lost alone comes back with all units that are in no other. Where several are, each comes back with what its
 * buyers have, and nothing available; what the parts then lack together is added to the first one, under a number, so that
 * no two processes add it twice.
 */
export function createSplit({ inventory, orders, units, inSql, reconcile, clock }: SplitParts) {
  const { parts, transfers } = inventory

  /**
   * A number that no giving between the parts ever had. One more than those known may be on its way with the process that
   * takes it across, and where two parts are lost nobody knows any; but givings are fewer than milliseconds.
   */
  const beyond = ({ states }: Cut): number => {
    const known = states.flatMap((state) => [
      ...[...(state?.given.values() ?? [])].map(({ number }) => number),
      ...[...(state?.taken ?? [])].map(([from, number]) => (from === 'sql' ? 0 : number)),
    ])
    return Math.max(clock.now(), ...known.map((number) => number + 1))
  }

  /** Nothing arrives any more from a part that may have forgotten what it gave, or there. Answers what it begins anew with. */
  const closeLinks = async (lost: Part, { states }: Cut, number: number): Promise<Record<string, string>> => {
    const links: Record<string, string> = lost.index === 0 ? { 'in:sql': String(clock.now()) } : {}
    for (const other of partsOf(lost.item_id, lost.of)) {
      if (other.index === lost.index) continue
      if (states[other.index]?.stock !== undefined) await parts.closeLinks(other, lost.index, number)
      if (states[lost.index]?.stock !== undefined) await parts.closeLinks(lost, other.index, number)
      Object.assign(links, { [`in:${other.index}`]: String(number), [`out:${other.index}`]: `${number} 0` })
    }
    return links
  }

  /** Takes back units that are not there, of parts that sell nothing now first. What of them could not be taken back. */
  const takeBack = async (surplus: number, all: readonly Part[], { states }: Cut): Promise<number> => {
    let left = surplus
    const stocks = all.flatMap((part) => {
      const stock = states[part.index]?.stock
      return stock === undefined ? [] : [{ part, stock, sells: stock.run_id === parts.runId(part) ? 1 : 0 }]
    })
    stocks.sort((one, other) => one.sells - other.sells || other.stock.available - one.stock.available)
    for (const { part, stock } of stocks) {
      const back = Math.min(left, stock.available)
      if (back > 0) await parts.lower(part, stock.total - back)
      left -= Math.max(0, back)
    }
    return left
  }

  /** Adds units that are there and in no part, where it is the same after a while. How many. */
  const addMissing = async (first: Part): Promise<number> => {
    const look = async () => {
      const cut = await transfers.look(first.item_id, first.of)
      const lacking = ((await units(first.item_id)) ?? 0) - unitsIn(cut)
      return { lacking, number: cut.states[0]?.taken.get('sql') ?? 0 }
    }
    const before = await look()
    if (before.lacking <= 0) return 0
    await clock.sleep(QUIET_MS)
    const after = await look()
    if (after.lacking !== before.lacking || after.number !== before.number) return 0
    const giving = { from: 'sql', number: after.number + 1, units: after.lacking } as const
    return (await parts.takeIn(first, giving)) === 'taken_in' ? after.lacking : 0
  }

  const subjectOf = (part: Part, more: Pick<Subject, 'heldBack' | 'left' | 'links'>): Subject => ({
    ...more,
    ...{ id: part.item_id, firstSeq: firstSeq(part.index) },
    stocks: {
      stock: () => parts.stock(part),
      holds: () => parts.holds(part),
      unconfirmed: () => parts.unconfirmed(part),
      adopt: (_id: ItemId, epoch: number, checkedOn?: string) => parts.adopt(part, epoch, checkedOn),
      fence: (_id: ItemId, epoch: number) => parts.fence(part, epoch),
      lower: (_id: ItemId, total: number) => parts.lower(part, total),
      rebuild: (item: Parameters<typeof parts.rebuild>[1]) => parts.rebuild(part, item),
    },
    orders: async () =>
      (await orders.forItem(part.item_id)).filter(
        ({ user_id }) => partIndexOf(user_id, part.of) === part.index,
      ),
  })

  return {
    item: async (id: ItemId, of: number): Promise<Reconciled> => {
      const all = partsOf(id, of)
      const there = (await units(id)) ?? 0
      const first = await transfers.look(id, of)
      const back = all.filter(({ index }) => first.states[index] === undefined)
      if (back.length > 0)
        return inMotion(`the server of part ${back.map(({ index }) => index).join()} is away`)

      const returned = all.filter((part) => first.states[part.index]?.stock?.run_id !== parts.runId(part))
      const number = beyond(first)
      const links = new Map<number, Record<string, string>>()
      for (const part of returned) {
        if (!(await inSql(parts.runId(part) ?? ''))) return inMotion('events are on their way to SQL')
        links.set(part.index, await closeLinks(part, first, number))
      }

      const cut = await transfers.look(id, of)
      const needed = unitsIn(cut) + missing(cut, await orders.forItem(id), of)
      const surplus = Math.max(0, needed - there)
      const excess = surplus > 0 ? await takeBack(surplus, all, cut) : 0

      const lost = all.filter(({ index }) => cut.states[index]?.stock === undefined)
      const runs: Reconciled[] = []
      for (const part of all) {
        const left = lost.length === 1 && lost[0] === part ? { left: Math.max(0, there - unitsIn(cut)) } : {}
        const subject = subjectOf(part, { heldBack: excess > 0, links: links.get(part.index), ...left })
        runs.push(await reconcile(subject, parts.runId(part)))
      }
      // Units may have been taken off the catalogue meanwhile.
      const end = lost.length > 0 ? await transfers.look(id, of) : cut
      if (lost.length > 0) await takeBack(unitsIn(end) - ((await units(id)) ?? 0), all, end)
      const isWhole =
        excess === 0 && runs.every(({ outcome }) => outcome === 'clean' || outcome === 'repaired')
      const added = isWhole && all[0] !== undefined ? await addMissing(all[0]) : 0

      const outcomes = runs.map(({ outcome }) => outcome)
      if (excess > 0) outcomes.push('oversold')
      if (surplus - excess > 0 || added > 0) outcomes.push('repaired')
      return {
        outcome: WORST.find((word) => outcomes.includes(word)) ?? 'clean',
        drift: surplus - excess - added + runs.reduce((sum, { drift }) => sum + drift, 0),
        report: {
          units: there,
          oversold: excess,
          on_the_way: unitsOf(cut.onTheWay.map((one) => ({ quantity: one.units }))),
          parts: runs.map(({ report }) => report),
        },
      }
    },
    /** Whether a part of it sells nothing because it is on another server than the one it was checked on, or is lost. */
    isFenced: async (id: ItemId, of: number): Promise<boolean> => {
      const looks = partsOf(id, of).map(async (part) => {
        const current = parts.runId(part)
        try {
          return current !== undefined && (await parts.stock(part))?.run_id !== current
        } catch (error) {
          if (error instanceof Unavailable) return false
          throw error
        }
      })
      return (await Promise.all(looks)).includes(true)
    },
  }
}

const inMotion = (why: string): Reconciled => ({ outcome: 'in_motion', drift: 0, report: { why } })

/** Units in the parts and on their way between them. */
const unitsIn = ({ states, onTheWay }: Cut): number =>
  states.reduce((sum, state) => sum + (state?.stock?.total ?? 0), 0) +
  onTheWay.reduce((sum, { units }) => sum + units, 0)

/** Units that buyers have of parts that do not know of them: lost ones, and such as have forgotten some. */
function missing({ states }: Cut, rows: readonly Order[], of: number): number {
  const taken = rows.filter(({ status }) => status !== 'FAILED')
  return states.reduce((sum, state, index) => {
    const known = state?.stock?.total ?? 0
    return (
      sum + Math.max(0, unitsOf(taken.filter(({ user_id }) => partIndexOf(user_id, of) === index)) - known)
    )
  }, 0)
}
