import { createHash } from 'node:crypto'
import type { SaleId } from '../../contracts/ids.ts'
import { defineScript } from '../../platform/lua.ts'
import admissionSource from './admission.lua' with { type: 'text' }
import amendSource from './amend.lua' with { type: 'text' }
import askingSource from './asking.lua' with { type: 'text' }
import createSource from './create.lua' with { type: 'text' }
import enterSource from './enter.lua' with { type: 'text' }
import joinSource from './join.lua' with { type: 'text' }
import { keys, memberPrefix } from './keys.ts'
import letInSource from './let-in.lua' with { type: 'text' }
import readSource from './read.lua' with { type: 'text' }
import recentSource from './recent.lua' with { type: 'text' }
import servingSource from './serving.lua' with { type: 'text' }
import steerSource from './steer.lua' with { type: 'text' }

/** One line: the main one of a sale, or a group's. */
interface LaneOf {
  readonly sale: SaleId
  readonly lane: string
}

const words = (reply: unknown) => reply as [string, ...unknown[]]

export interface NewLine extends LaneOf {
  /** People to let in per second. */
  readonly rate: number
  readonly opens_at: number
  readonly ends_at: number | null
  /** On standby: everybody walks through until more than so many arrive in a second. */
  readonly threshold: number | null
  /** Most positions there are. */
  readonly places: number | null
  /** Of the draw, hex; null for first come, first served. */
  readonly secret: string | null
  readonly state: 'open' | 'paused' | 'ended'
}

export const create = defineScript({
  name: 'queueCreate',
  source: createSource,
  keys: ({ sale, lane }: NewLine) => [keys.queue(sale, lane)],
  args: ({ rate, opens_at, ends_at, threshold, places, secret, state }) => [
    rate,
    opens_at,
    ends_at ?? '',
    threshold ?? '',
    places ?? '',
    secret ?? '',
    state,
  ],
  result: (reply) => reply as 'created' | 'exists',
})

export type JoinResult =
  | {
      readonly kind: 'joined'
      readonly now: number
      /** What the lobby was when the sale opened; undefined until then: every position is an index of the lobby. */
      readonly lobby_size: number | undefined
      /** One for each that joined, of the lobby where it is in it; 0: the lane is full. */
      readonly positions: readonly number[]
    }
  | { readonly kind: 'reserve'; readonly tail: number }
  | { readonly kind: 'ended' | 'fenced' | 'unloaded' }

export const join = defineScript({
  name: 'queueJoin',
  source: servingSource + recentSource + joinSource,
  keys: ({ sale, lane }: LaneOf & JoinBatch) => [keys.queue(sale, lane), keys.joins(sale)],
  args: ({ client_keys, hash, run_id }) => [run_id, hash, ...client_keys],
  result: (reply): JoinResult => {
    const [kind, now, size, ...positions] = words(reply)
    if (kind === 'reserve') return { kind, tail: Number(now) }
    if (kind !== 'joined') return { kind: kind as 'ended' | 'fenced' | 'unloaded' }
    const lobby_size = size === '' ? undefined : Number(size)
    return { kind, now: Number(now), lobby_size, positions: positions.map(Number) }
  },
})

export interface JoinBatch {
  /** One for each that joins: the `clientKey` it repeats when it asks again, or ''. */
  readonly client_keys: readonly string[]
  /** Over the tickets of the batch; mixed into the lobby's rolling hash. */
  readonly hash: string
  /** Of the Redis process it goes to. */
  readonly run_id: string
}

/** What recent.lua takes: where to look (4 hex digits), and 48 bits of the hash to know it by. */
export function clientKey(text: string): string {
  const digest = createHash('sha256').update(text).digest()
  return digest.toString('hex', 0, 2) + digest.toString('base64url', 2, 8)
}

/** The line at `now` (ms, Redis server time). */
export interface Line {
  readonly state: 'open' | 'paused' | 'ended'
  readonly serving: number
  readonly tail: number
  /** People to let in per second. */
  readonly rate: number
  /** How fast the serving number moves: faster than `rate` where turns are not taken. */
  readonly pace: number
  /** Share of turns that are taken. */
  readonly show: number
  readonly opens_at: number
  readonly now: number
  /** Whether the serving number is moving. */
  readonly running: boolean
  /** On standby: nobody waits. */
  readonly dormant: boolean
  readonly entered: number
  readonly in_checkout: number
  /** What the lobby was when the sale opened; undefined until then. `secret` '': no draw. */
  readonly lobby:
    { readonly size: number; readonly tickets_hash: string; readonly secret: string } | undefined
  /** Of the Redis process it was last used on. */
  readonly run_id: string
  /** No position is given beyond it before it is raised. */
  readonly ceiling: number
}

export const read = defineScript({
  name: 'queueRead',
  source: servingSource + readSource,
  keys: ({ sale, lane }: LaneOf) => [keys.queue(sale, lane), keys.checkouts(sale)],
  args: () => [],
  result: (reply): Line | undefined => {
    const [state, ...rest] = words(reply)
    if (state === 'unloaded') return undefined
    const [serving, tail, rate, pace, show, opens_at, now, running, dormant, entered, in_checkout] = rest.map(
      Number,
    ) as [number, number, number, number, number, number, number, number, number, number, number]
    const [size, tickets_hash, secret, run_id, ceiling] = rest.slice(11) as [
      ...[number | '', string, string, string, number],
    ]
    return {
      state: state as Line['state'],
      serving,
      tail,
      rate,
      pace,
      show,
      opens_at,
      now,
      running: running === 1,
      dormant: dormant === 1,
      entered,
      in_checkout,
      lobby: size === '' ? undefined : { size, tickets_hash, secret },
      run_id,
      ceiling: Number(ceiling),
    }
  },
})

export interface Steering {
  readonly rate?: number
  readonly state?: 'open' | 'paused' | 'ended'
  /** The line stands still: nothing is available, or those in checkout are enough. */
  readonly stopped?: 'no' | 'stock' | 'checkout'
  readonly opens_at?: number
  /** null: never. */
  readonly ends_at?: number | null
  /** Back to standby, or out of it. */
  readonly dormant?: boolean
}

export const steer = defineScript({
  name: 'queueSteer',
  source: servingSource + admissionSource + steerSource,
  keys: ({ sale, lane }: Steering & LaneOf) => [keys.queue(sale, lane)],
  args: ({ rate, state, stopped, opens_at, dormant, ends_at }) => [
    rate ?? '',
    state ?? '',
    stopped ?? '',
    opens_at ?? '',
    dormant === undefined ? '' : Number(dormant),
    ends_at === undefined ? '' : (ends_at ?? 'never'),
  ],
  result: (reply) => reply as 'changed' | 'same' | 'opened' | 'unloaded',
})

export interface Beginning {
  readonly secret: string | null
  readonly threshold: number | null
}

export const amend = defineScript({
  name: 'queueAmend',
  source: servingSource + amendSource,
  keys: ({ sale, lane }: Beginning & LaneOf) => [keys.queue(sale, lane)],
  args: ({ secret, threshold }) => [secret ?? '', threshold ?? ''],
  result: (reply) => reply as 'amended' | 'same' | 'taken' | 'unloaded',
})

export type EnterResult =
  | { readonly kind: 'entered'; readonly issued_at: number }
  | { readonly kind: 'too_early'; readonly serving: number; readonly running: boolean }
  | { readonly kind: 'full' | 'turn_lapsed' | 'paused' | 'ended' | 'unloaded' }

/** Tries to enter one lane, decided in their order. Whole milliseconds, people, units. */
export interface Entering extends LaneOf {
  readonly positions: readonly number[]
  readonly lifetime_ms: number
  readonly window_ms: number
  readonly slot_ms: number
  /** Most people in checkout at once. */
  readonly cap: number
  /** People in checkout who can take all there is. */
  readonly enough: number
  /** Units available. */
  readonly units: number
}

export const enter = defineScript({
  name: 'queueEnter',
  source: servingSource + admissionSource + letInSource + askingSource + enterSource,
  keys: ({ sale, lane, positions }: Entering) => [
    keys.queue(sale, lane),
    keys.entered(sale, lane),
    keys.asked(sale, lane),
    keys.checkouts(sale),
    keys.askers(sale, lane),
    keys.askedAt(sale, lane),
    keys.passers(sale, lane),
    ...positions.map((position) => keys.pass({ sale, lane, position })),
  ],
  args: ({ lane, positions, ...numbers }) => [
    numbers.lifetime_ms,
    numbers.window_ms,
    numbers.cap,
    numbers.enough,
    numbers.slot_ms,
    memberPrefix(lane),
    numbers.units,
    ...positions,
  ],
  result: (reply) =>
    (reply as string[]).map((text): EnterResult => {
      const [kind, number, running] = text.split(' ')
      if (kind === 'entered') return { kind, issued_at: Number(number) }
      if (kind === 'too_early') return { kind, serving: Number(number), running: running === '1' }
      return { kind: kind as 'full' | 'turn_lapsed' | 'paused' | 'ended' | 'unloaded' }
    }),
})
