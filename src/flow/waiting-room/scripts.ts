import type { SaleId } from '../../contracts/ids.ts'
import { defineScript } from '../../platform/lua.ts'
import bindPassesSource from './bind-passes.lua' with { type: 'text' }
import createSource from './create.lua' with { type: 'text' }
import enterSource from './enter.lua' with { type: 'text' }
import joinSource from './join.lua' with { type: 'text' }
import readSource from './read.lua' with { type: 'text' }
import servingSource from './serving.lua' with { type: 'text' }
import steerSource from './steer.lua' with { type: 'text' }
import unbindPassSource from './unbind-pass.lua' with { type: 'text' }

/** Redis keys of a waiting room; the hash tag keeps them on one slot. All belong to this folder alone. */
export const keys = {
  queue: (sale: SaleId) => `queue:{${sale}}`,
  entered: (sale: SaleId) => `queue:{${sale}}:entered`,
  pass: (sale: SaleId, position: number) => `queue:{${sale}}:pass:${position}`,
}

const words = (reply: unknown) => reply as [string, ...unknown[]]

export const create = defineScript({
  name: 'queueCreate',
  source: createSource,
  keys: ({ sale }: { sale: SaleId; rate: number; opens_at: number; ends_at: number | null }) => [
    keys.queue(sale),
  ],
  args: ({ rate, opens_at, ends_at }) => [rate, opens_at, ends_at ?? ''],
  result: (reply) => reply as 'created' | 'exists',
})

export type JoinResult =
  | { readonly kind: 'joined'; readonly first: number; readonly now: number }
  | { readonly kind: 'ended' | 'unloaded' }

export const join = defineScript({
  name: 'queueJoin',
  source: servingSource + joinSource,
  keys: ({ sale }: { sale: SaleId; count: number }) => [keys.queue(sale)],
  args: ({ count }) => [count],
  result: (reply): JoinResult => {
    const [word, first, now] = words(reply)
    if (word === 'joined') return { kind: 'joined', first: Number(first), now: Number(now) }
    return { kind: word as 'ended' | 'unloaded' }
  },
})

/** The line at `now` (ms, Redis server time). */
export interface Line {
  readonly state: 'open' | 'paused' | 'ended'
  readonly serving: number
  readonly tail: number
  readonly rate: number
  readonly opens_at: number
  readonly now: number
  /** Whether the serving number is moving. */
  readonly running: boolean
}

export const read = defineScript({
  name: 'queueRead',
  source: servingSource + readSource,
  keys: ({ sale }: { sale: SaleId }) => [keys.queue(sale)],
  args: () => [],
  result: (reply): Line | undefined => {
    const [state, serving, tail, rate, opens_at, now, running] = words(reply)
    if (state === 'unloaded') return undefined
    return {
      state: state as Line['state'],
      serving: Number(serving),
      tail: Number(tail),
      rate: Number(rate),
      opens_at: Number(opens_at),
      now: Number(now),
      running: running === 1,
    }
  },
})

export interface Steering {
  readonly rate?: number
  readonly state?: 'open' | 'paused' | 'ended'
  /** Nothing is available: the line stands still until something is. */
  readonly stopped?: boolean
  readonly opens_at?: number
}

export const steer = defineScript({
  name: 'queueSteer',
  source: servingSource + steerSource,
  keys: ({ sale }: Steering & { sale: SaleId }) => [keys.queue(sale)],
  args: ({ rate, state, stopped, opens_at }) => [
    rate ?? '',
    state ?? '',
    stopped === undefined ? '' : Number(stopped),
    opens_at ?? '',
  ],
  result: (reply) => reply as 'changed' | 'same' | 'unloaded',
})

export type EnterResult =
  | { readonly kind: 'entered'; readonly issued_at: number }
  | { readonly kind: 'too_early'; readonly serving: number; readonly running: boolean }
  | { readonly kind: 'turn_lapsed' | 'paused' | 'ended' | 'unloaded' }

export const enter = defineScript({
  name: 'queueEnter',
  source: servingSource + enterSource,
  keys: ({ sale, position }: { sale: SaleId; position: number; lifetime_ms: number }) => [
    keys.queue(sale),
    keys.entered(sale),
    keys.pass(sale, position),
  ],
  args: ({ position, lifetime_ms }) => [position, lifetime_ms],
  result: (reply): EnterResult => {
    const [word, number, , running] = words(reply)
    if (word === 'entered') return { kind: 'entered', issued_at: Number(number) }
    if (word === 'too_early') return { kind: 'too_early', serving: Number(number), running: running === 1 }
    return { kind: word as 'turn_lapsed' | 'paused' | 'ended' | 'unloaded' }
  },
})

/** One use of a pass: who asks for what, with which Idempotency-Key. */
export interface PassUse {
  readonly position: number
  /** Becomes the order's id if this request is the one the pass is bound to. */
  readonly order_id: string
  readonly user_id: string
  /** Hash of the Idempotency-Key. */
  readonly key: string
  /** Hash of what is asked for. */
  readonly body: string
  /** Only look whether this request was bound before. */
  readonly look_up: boolean
}

export type BindResult =
  | { readonly kind: 'bound' | 'repeated'; readonly order_id: string }
  | { readonly kind: 'foreign' | 'used' | 'key_reused' | 'expired' }

/** How long a bound pass is remembered, so that a lost answer can be asked for again. */
const REMEMBER_MS = 60 * 60 * 1000

export const bindPasses = defineScript({
  name: 'queueBindPasses',
  source: bindPassesSource,
  keys: ({ sale, uses }: { sale: SaleId; uses: readonly PassUse[] }) =>
    uses.map((use) => keys.pass(sale, use.position)),
  args: ({ uses }) => [
    REMEMBER_MS,
    ...uses.flatMap((use) => [use.order_id, use.user_id, use.key, use.body, Number(use.look_up)]),
  ],
  result: (reply) =>
    (reply as [string, string?][]).map(
      ([kind, order_id]) => ({ kind, ...(order_id === undefined ? {} : { order_id }) }) as BindResult,
    ),
})

export const unbindPass = defineScript({
  name: 'queueUnbindPass',
  source: unbindPassSource,
  keys: ({ sale, position }: { sale: SaleId; position: number; order_id: string }) => [
    keys.pass(sale, position),
  ],
  args: ({ order_id }) => [order_id],
  result: (reply) => reply as 'free' | 'bound',
})
