import type { ItemId, OrderId, UserId } from '../../contracts/ids.ts'
import { times } from '../../contracts/money.ts'
import type { OrderStatus } from '../../contracts/orders.ts'
import type { Clock } from '../../platform/clock.ts'
import { isConnectionError, Overloaded } from '../../platform/errors.ts'
import type { Tokens, Verified } from '../../platform/tokens.ts'
import type { Catalogue, Product, Sale } from '../catalogue/catalogue.ts'
import type { Order, Tombstone } from '../orders/orders.ts'
import type { PassOutcome, Visitor, WaitingRoom } from '../waiting-room/waiting-room.ts'
import { type ClaimOutcome, type Inventory, InventoryUnavailable } from './inventory.ts'
import { createNoNeed, type NoNeedParts } from './no-need.ts'

/** Who asks. `order_id` is the id the order gets if this request is the first of its kind. */
export interface Claimant {
  readonly user_id: UserId
  readonly order_id: OrderId
}

/** One buyer asks for units. */
export interface ClaimCommand {
  /** Finds out who it is, and throws where they may not ask; not called where there is nothing to have anyhow. */
  readonly claimant: () => Promise<Claimant>
  readonly item_id: ItemId
  readonly quantity: number
  readonly pass: string
  readonly visitor: Visitor
  readonly idempotency_key: string
}

/** A claim that stands, new or told again. */
export interface Claimed {
  readonly kind: 'claimed'
  readonly order_id: OrderId
  readonly status: 'PROCESSING' | OrderStatus
  readonly pay_by: number
  readonly hold_expires_at: number
  readonly receipt: string
}

type Refused = Exclude<ClaimOutcome, { kind: 'reserved' | 'repeated' }>
type PassRefused = Exclude<PassOutcome, { kind: 'bound' | 'repeated' | 'unused' }>

export type ClaimingOutcome =
  | Claimed
  | Refused
  | PassRefused
  /** The claim is known, but where it stands can not be told right now. */
  | { readonly kind: 'unknown_item' | 'unsettled' | 'receipt_invalid' }
  /** Too much is on its way to SQL already. */
  | { readonly kind: 'overloaded' }

export interface Claiming {
  claim(command: ClaimCommand): Promise<ClaimingOutcome>
  /**
   * Restores a claim that was lost everywhere, while stock allows, whatever the hours of the sale. Where its units are gone
   * for good it ends as an order FAILED `oversold`: the buyer is owed what the oversell policy says.
   */
  restore(user: UserId, receipt: string): Promise<ClaimingOutcome>
}

interface ReceiptClaims {
  /** When it was claimed, in seconds. */
  readonly iat: number
  readonly sub: UserId
  readonly order: OrderId
  readonly item: ItemId
  readonly quantity: number
}

/** A claim as a request or a receipt names it. */
interface Standing {
  readonly user_id: UserId
  readonly order_id: OrderId
  readonly quantity: number
  readonly product: Product
}

const RECEIPT_S = 90 * 24 * 3600
/** How long whoever asks again waits to hear more than that they have it. */
const SQL_PATIENCE_MS = 2000

export interface ClaimingParts extends NoNeedParts {
  readonly inventory: Inventory
  readonly waitingRoom: Pick<WaitingRoom, 'isUnused' | 'usePass' | 'freePass' | 'leaveCheckout'>
  readonly catalogue: Pick<Catalogue, 'product' | 'sale'>
  readonly findOrder: (user: UserId, id: OrderId) => Promise<Order | undefined>
  /** Ends a claim whose units are gone for good, with what its buyer is owed. */
  readonly endLost: (claim: Tombstone) => Promise<void>
  readonly tokens: Tokens
  readonly clock: Clock
}

/** From a request to a hold: the pass is bound to the request first, then one script takes the stock. */
export function createClaiming(parts: ClaimingParts): Claiming {
  const { inventory, waitingRoom, catalogue, findOrder, endLost, tokens, clock } = parts
  const noNeed = createNoNeed(parts)

  const find = async (id: ItemId): Promise<{ product: Product; sale: Sale } | undefined> => {
    const product = await catalogue.product(id)
    const sale = product && (await catalogue.sale(product.sale_id))
    return product && sale && { product, sale }
  }

  const take = (
    { user_id, order_id, quantity, product }: Standing,
    sale: Sale,
    more: { restored?: boolean } = {},
  ) =>
    inventory.claim({
      ...more,
      item_id: product.id,
      parts: product.stock_parts,
      order_id,
      user_id,
      quantity,
      limit: product.per_buyer_limit,
      ...times(product, quantity),
      hold_ms: Math.round(sale.hold_s * 1000),
      pay_ms: Math.round(sale.payment_window_s * 1000),
    })

  /** Nothing that is held now could come back and be enough. */
  const neverAgain = async (item: ItemId, { kind }: ClaimOutcome): Promise<boolean> =>
    kind === 'sold_out' || (kind === 'not_enough_left' && (await inventory.stock(item))?.held === 0)

  /**
   * The order in SQL. Whose units Redis `holds` is told so where SQL is away, or does not answer soon: that much is true.
   */
  const lookUp = async ({ user_id, order_id }: Standing, holds: boolean): Promise<Order | undefined> => {
    const asked = findOrder(user_id, order_id)
    if (!holds) return asked
    const answered = new AbortController()
    const found = asked.catch((error: unknown) => {
      if (!isConnectionError(error)) throw error
      return undefined
    })
    const late = clock.sleep(SQL_PATIENCE_MS, answered.signal).then(() => undefined)
    return Promise.race([found, late]).finally(() => answered.abort())
  }

  /** Everything that is said about a claim that stands is said here. */
  const describe = async (
    claim: Standing,
    outcome: Extract<ClaimOutcome, { kind: 'reserved' | 'repeated' }>,
  ): Promise<ClaimingOutcome> => {
    const { user_id, order_id, product } = claim
    const times = outcome.kind === 'reserved' ? outcome : outcome.hold
    const order = outcome.kind === 'repeated' ? await lookUp(claim, times !== undefined) : undefined
    const [pay_by, hold_expires_at] = [
      order?.pay_by ?? times?.pay_by,
      order?.hold_expires_at ?? times?.hold_expires_at,
    ]
    if (pay_by === undefined || hold_expires_at === undefined) return { kind: 'unsettled' }
    const iat = Math.floor((order?.claimed_at ?? times?.timestamp ?? clock.now()) / 1000)
    const receipt = tokens.sign('receipt', {
      aud: product.sale_id,
      iat,
      exp: iat + RECEIPT_S,
      sub: user_id,
      order: order_id,
      item: product.id,
      quantity: claim.quantity,
    })
    const status = order?.status ?? 'PROCESSING'
    return { kind: 'claimed', order_id, status, pay_by, hold_expires_at, receipt }
  }

  return {
    claim: async ({ claimant, item_id, quantity, ...request }) => {
      const found = await find(item_id)
      if (found === undefined) return { kind: 'unknown_item' }
      const { product, sale } = found
      // Whoever asks again is told where their claim stands; nothing new begins.
      const nothing = await noNeed(product)
      // Everybody may know that there is nothing, so who has used no pass hears it before anybody looks who they are.
      if (nothing !== undefined && (await waitingRoom.isUnused(sale.id, request.pass)))
        return { kind: nothing }
      const { user_id, order_id: own } = await claimant()
      const use = await waitingRoom.usePass({
        ...request,
        order_id: own,
        only_look: nothing !== undefined,
        sale: sale.id,
        user_id,
        body: `${item_id} ${quantity}`,
      })
      if (use.kind === 'unused') return { kind: nothing ?? 'sold_out' }
      // Redis may have forgotten this use of the pass, and SQL know the order.
      const forgotten = use.kind === 'pass_expired' ? await findOrder(user_id, own) : undefined
      if (forgotten !== undefined)
        return describe({ user_id, order_id: own, quantity, product }, { kind: 'repeated', quantity })
      if (!('order_id' in use)) return use
      const { order_id, place } = use
      const free = () => waitingRoom.freePass(place, order_id)
      const claim = { user_id, order_id, quantity, product }
      const outcome = await take(claim, sale).catch(async (error: unknown) => {
        // Nothing was done. Where the outcome is unknown the pass stays with the one request that can find it out.
        if (error instanceof InventoryUnavailable || error instanceof Overloaded)
          await free().catch(() => undefined)
        throw error
      })
      if (outcome.kind === 'reserved' || outcome.kind === 'repeated') {
        // Only to let the next one in sooner, so nobody waits for it: whoever does not leave is forgotten after a while.
        waitingRoom.leaveCheckout(place).catch(() => undefined)
        return describe(claim, outcome)
      }
      await free()
      return outcome
    },

    restore: async (user, receipt) => {
      const nowS = Math.floor(clock.now() / 1000)
      const verified: Verified<ReceiptClaims> = tokens.verify('receipt', receipt, nowS)
      if (verified.kind !== 'valid' || verified.claims.sub !== user) return { kind: 'receipt_invalid' }
      const { order: order_id, item, quantity } = verified.claims
      const found = await find(item)
      if (found === undefined) return { kind: 'unknown_item' }
      const { product, sale } = found
      const claim = { user_id: user, order_id, quantity, product }
      // SQL first: an order that ended long ago must not take a unit again.
      if ((await findOrder(user, order_id)) !== undefined)
        return describe(claim, { kind: 'repeated', quantity })
      const outcome = await take(claim, sale, { restored: true })
      if (outcome.kind === 'reserved' || outcome.kind === 'repeated') return describe(claim, outcome)
      if (!(await neverAgain(item, outcome))) return outcome
      const [at, claimed_at] = [clock.now(), verified.claims.iat * 1000]
      const ended = { ...claim, sale_id: sale.id, item_id: item, ...times(product, quantity) }
      // Number 0: which claim of the item it was went with Redis. Over now, so nobody looks for a hold to release.
      await endLost({ ...ended, claim_seq: 0, claimed_at, pay_by: at, hold_expires_at: at })
      return describe(claim, { kind: 'repeated', quantity })
    },
  }
}
