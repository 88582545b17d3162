import { defineScript } from '../../platform/lua.ts'
import adoptSource from './adopt.lua' with { type: 'text' }
import claimSource from './claim.lua' with { type: 'text' }
import closeLinksSource from './close_links.lua' with { type: 'text' }
import dueSource from './due.lua' with { type: 'text' }
import giveSource from './give.lua' with { type: 'text' }
import itemSource from './item.lua' with { type: 'text' }
import { itemKeys, partOwner } from './keys.ts'
import loadSource from './load.lua' with { type: 'text' }
import lowerSource from './lower.lua' with { type: 'text' }
import rebuildSource from './rebuild.lua' with { type: 'text' }
import releaseSource from './release.lua' with { type: 'text' }
import setStateSource from './set_state.lua' with { type: 'text' }
import settleSource from './settle.lua' with { type: 'text' }
import takeSource from './take.lua' with { type: 'text' }
import takeInSource from './take_in.lua' with { type: 'text' }
import type { ClaimRequest, DueHold, Given, ItemChange, LoadItem, RebuildItem } from './types.ts'
import { claimEntry, parseClaim, parseGiven, parseOutcome, truth } from './wire.ts'

/** One wrapper for each `.lua` command; the file's header is the reference for arguments and results. */

interface OfItem {
  readonly item_id: string
  /** Which part of the item, from 0, and of how many. */
  readonly index?: number
  readonly of?: number
}
interface OfOrder extends OfItem {
  readonly order_id: string
}

const keys = ({ item_id, index = 0, of = 1 }: OfItem): string[] =>
  Object.values(itemKeys(partOwner({ item_id, index, of })))

/** What ends a hold runs with a full memory too: it frees more than it writes, and payment must not wait for memory. */
const EVEN_OUT_OF_MEMORY = '#!lua flags=allow-oom\n'

/** Claims of each part are numbered in a range of their own, so that no two of an item have one number. */
const SEQS = 1e12
export const firstSeq = (index = 0) => index * SEQS

/** Takes a reply that is one of the words, and nothing else. */
function word<const Words extends readonly string[]>(...words: Words) {
  return (reply: unknown): Words[number] => {
    if (!words.includes(reply as string)) throw new Error(`unexpected reply: ${String(reply)}`)
    return reply as Words[number]
  }
}

export const loadScript = defineScript({
  name: 'inventory_load',
  source: itemSource + loadSource,
  keys,
  args: (input: LoadItem & OfItem & { run_id: string }) => [
    input.sale_id,
    input.total,
    input.state,
    input.opens_at,
    input.ends_at ?? '',
    input.run_id,
    firstSeq(input.index),
  ],
  result: word('loaded', 'exists'),
})

export const claimScript = defineScript({
  name: 'inventory_claim',
  source: itemSource + takeSource + claimSource,
  keys,
  args: (input: OfItem & { run_id: string; requests: readonly ClaimRequest[] }) => [
    input.item_id,
    input.run_id,
    ...input.requests.flatMap(claimEntry),
  ],
  result: (reply) => (reply as string[]).map(parseOutcome),
})

export const settleScript = defineScript({
  name: 'inventory_settle',
  source: EVEN_OUT_OF_MEMORY + itemSource + settleSource,
  keys,
  args: (input: OfOrder) => [input.order_id],
  result: word('settled', 'gone', 'unloaded'),
})

export const releaseScript = defineScript({
  name: 'inventory_release',
  source: EVEN_OUT_OF_MEMORY + itemSource + releaseSource,
  keys,
  args: (input: OfOrder) => [input.item_id, input.order_id],
  result: word('released', 'gone', 'unloaded'),
})

export const dueScript = defineScript({
  name: 'inventory_due',
  source: itemSource + dueSource,
  keys,
  args: (input: OfItem & { which: 'overdue' | 'all'; graceMs: number; max: number }) => [
    input.which,
    input.graceMs,
    input.max,
  ],
  result: (reply): DueHold[] | 'unloaded' =>
    reply === 'unloaded'
      ? reply
      : (reply as [string, string, string][]).map(([order_id, deadline, claim]) =>
          parseClaim(order_id, deadline, claim),
        ),
})

export const setStateScript = defineScript({
  name: 'inventory_set_state',
  source: itemSource + setStateSource,
  keys,
  args: ({ change }: OfItem & { change: ItemChange }) => [
    ...(change.state === undefined ? [] : ['state', change.state]),
    ...(change.opens_at === undefined ? [] : ['opens_at', change.opens_at]),
    ...(change.ends_at === undefined ? [] : ['ends_at', change.ends_at ?? '']),
  ],
  result: word('changed', 'unloaded'),
})

export const lowerScript = defineScript({
  name: 'inventory_lower',
  source: itemSource + lowerSource,
  keys,
  args: (input: OfItem & { units: number }) => [input.units],
  result: word('lowered', 'oversold', 'kept', 'unloaded'),
})

export const adoptScript = defineScript({
  name: 'inventory_adopt',
  source: itemSource + adoptSource,
  keys,
  args: (input: OfItem & { run_id: string; epoch: number }) => [input.run_id, input.epoch],
  result: word('adopted', 'moved_on', 'unloaded'),
})

export const rebuildScript = defineScript({
  name: 'inventory_rebuild',
  source: itemSource + rebuildSource,
  keys,
  args: (input: RebuildItem & OfItem) => [truth(input)],
  result: word('rebuilt', 'does_not_fit', 'moved_on', 'unloaded'),
})

export const giveScript = defineScript({
  name: 'inventory_give',
  source: itemSource + giveSource,
  keys,
  args: (input: OfItem & { run_id: string; to: number; taken: number; units: number }) => [
    input.run_id,
    input.to,
    input.taken,
    input.units,
  ],
  result: (reply): Given => parseGiven(String(reply)),
})

export const takeInScript = defineScript({
  name: 'inventory_take_in',
  source: itemSource + takeInSource,
  keys,
  args: (input: OfItem & { run_id: string; from: number | 'sql'; number: number; units: number }) => [
    input.run_id,
    input.from,
    input.number,
    input.units,
  ],
  result: word('taken_in', 'known', 'fenced', 'unloaded'),
})

export const closeLinksScript = defineScript({
  name: 'inventory_close_links',
  source: itemSource + closeLinksSource,
  keys,
  args: (input: OfItem & { other: number; number: number }) => [input.other, input.number],
  result: word('closed', 'unloaded'),
})
