import type { SaleId } from '../../contracts/ids.ts'
import { defineScript } from '../../platform/lua.ts'
import bindPassesSource from './bind-passes.lua' with { type: 'text' }
import { keys, memberOf, type Place } from './keys.ts'
import lookPassesSource from './look-passes.lua' with { type: 'text' }
import unbindPassSource from './unbind-pass.lua' with { type: 'text' }

/** One use of a pass: who asks for what, with which Idempotency-Key. */
export interface PassUse {
  readonly lane: string
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
  /** Names this one call: what is ended twice is ended once. */
  readonly use: string
}

/** The place of a pass, and the one call that uses it. */
export interface UsedPlace extends Place {
  readonly use: string
}

export type BindResult =
  | { readonly kind: 'bound' | 'repeated'; readonly order_id: string }
  | { readonly kind: 'foreign' | 'used' | 'key_reused' | 'expired' }

/** How long a bound pass is remembered, so that a lost answer can be asked for again. */
const REMEMBER_MS = 60 * 60 * 1000

interface Uses {
  readonly sale: SaleId
  readonly slot_ms: number
  readonly uses: readonly PassUse[]
}

export const bindPasses = defineScript({
  name: 'queueBindPasses',
  source: bindPassesSource,
  keys: ({ sale, uses }: Uses) => [
    keys.checkouts(sale),
    ...uses.map((use) => keys.pass({ sale, lane: use.lane, position: use.position })),
  ],
  args: ({ sale, slot_ms, uses }) => [
    REMEMBER_MS,
    slot_ms,
    ...uses.flatMap((use) => [
      memberOf({ sale, ...use }),
      // The user comes last because an id may hold any character, a space too.
      `${use.order_id} ${use.key} ${use.body} ${use.user_id}`,
      use.use,
      Number(use.look_up),
    ]),
  ],
  result: (reply, { uses }) => (reply as string[]).map((answer, index) => parseBind(answer, uses[index])),
})

function parseBind(answer: string, use: PassUse | undefined): BindResult {
  const [kind = '', order_id = use?.order_id ?? ''] = answer.split(' ')
  switch (kind) {
    case 'bound':
    case 'repeated':
      return { kind, order_id }
    case 'foreign':
    case 'used':
    case 'key_reused':
    case 'expired':
      return { kind }
    default:
      throw new Error(`unexpected answer to a pass: ${answer}`)
  }
}

/** Whether each place's pass is bound to a request. */
export const lookPasses = defineScript({
  name: 'queueLookPasses',
  source: lookPassesSource,
  keys: ({ places }: { readonly places: readonly Place[] }) => places.map(keys.pass),
  args: () => [],
  result: (reply) => reply as ('bound' | 'unused')[],
})

export const unbindPass = defineScript({
  name: 'queueUnbindPass',
  source: unbindPassSource,
  keys: (place: UsedPlace & { order_id: string }) => [keys.pass(place)],
  args: ({ order_id, use }) => [order_id, use],
  result: (reply) => reply as 'free' | 'bound',
})
