import {
  type PaymentProvider,
  type ProviderEvent,
  type ProviderName,
  ProviderUnavailable,
} from '../../src/flow/payments/payments.ts'
import type { AuthoriseResult, ProviderPayment, StartPayment } from '../../src/flow/payments/provider.ts'
import type { Node, Server } from './node.ts'
import { short } from './orders-model.ts'
import type { World } from './world.ts'

/** One payment at the provider, with what was done to it. */
export interface Intent extends ProviderPayment {
  captures: number
  /** Captured by the provider's own doing, which no adapter asked for. */
  unasked: boolean
}

/** What the buyer's card does; `captured at once`: the provider takes the money though it was only to reserve it. */
export type Card = 'good' | 'declined' | 'captured at once'

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] }

export type Send = (provider: ProviderName, event: ProviderEvent) => void

/** A payment provider: its ledger, and the events it tells us of. */
export class ProviderModel {
  readonly intents = new Map<string, Mutable<Intent>>()
  readonly name: ProviderName
  private readonly world: World
  private readonly send: Send
  private events = 0
  private readonly agreed = new Map<string, Card>()

  constructor(name: ProviderName, world: World, send: Send) {
    this.name = name
    this.world = world
    this.send = send
  }

  open(
    order: Pick<StartPayment, 'order_id' | 'user_id' | 'amount' | 'currency' | 'attempt'>,
  ): ProviderPayment {
    const { order_id, user_id, amount, currency, attempt } = order
    const provider_ref = `${this.name}-${short(order_id)}${attempt === 0 ? '' : `-${attempt}`}`
    let intent = this.intents.get(provider_ref)
    if (intent === undefined) {
      intent = {
        ...{ provider_ref, order_id, user_id, amount, currency, state: 'requires_payment' },
        ...{ amount_received: 0, amount_refunded: 0, captures: 0, unasked: false },
      }
      this.intents.set(provider_ref, intent)
    }
    return view(intent)
  }

  /** The buyer confirms with their card; PayPal's only agrees, and we authorise. Nothing happens where it is over. */
  confirm(ref: string, card: Card): ProviderPayment['state'] {
    const intent = this.get(ref)
    if (intent.state !== 'requires_payment') return intent.state
    if (this.name === 'paypal') {
      intent.state = 'approved'
      this.agreed.set(ref, card)
      this.tell('approved', intent)
      return intent.state
    }
    if (card === 'declined') {
      intent.failure_code = 'generic_decline'
      this.tell('failed', intent)
      return intent.state
    }
    return this.reserve(intent, card)
  }

  authorise(ref: string): AuthoriseResult {
    const intent = this.get(ref)
    const card = this.agreed.get(ref)
    if (intent.state === 'approved' && card === 'declined') {
      intent.state = 'cancelled'
      intent.failure_code = 'INSTRUMENT_DECLINED'
      this.tell('cancelled', intent)
    } else if (intent.state === 'approved') this.reserve(intent, card ?? 'good')
    const { state } = intent
    if (state === 'authorised' || state === 'captured') return { kind: 'authorised', payment: view(intent) }
    return { kind: state === 'cancelled' ? 'declined' : 'waiting', payment: view(intent) }
  }

  capture(ref: string): Awaited<ReturnType<PaymentProvider['capture']>> {
    const intent = this.get(ref)
    if (intent.state === 'authorised') {
      this.take(intent)
      this.tell('captured', intent)
    }
    return intent.state === 'captured'
      ? { kind: 'captured', payment: view(intent) }
      : { kind: 'not_capturable', payment: view(intent), code: 'unexpected_state' }
  }

  cancel(ref: string): Awaited<ReturnType<PaymentProvider['cancel']>> {
    const intent = this.get(ref)
    if (intent.state === 'captured') return { kind: 'already_captured', payment: view(intent) }
    if (intent.state !== 'cancelled') {
      intent.state = 'cancelled'
      this.tell('cancelled', intent)
    }
    return { kind: 'cancelled', payment: view(intent) }
  }

  refund(ref: string): Awaited<ReturnType<PaymentProvider['refund']>> {
    const intent = this.get(ref)
    if (intent.amount_received === 0) return { kind: 'nothing_captured', payment: view(intent) }
    if (intent.amount_refunded === 0) {
      intent.amount_refunded = intent.amount_received
      this.tell('refunded', intent)
    }
    return { kind: 'refunded', payment: view(intent) }
  }

  find(ref: string): ProviderPayment | undefined {
    const intent = this.intents.get(ref)
    return intent && view(intent)
  }

  private reserve(intent: Mutable<Intent>, card: Card): ProviderPayment['state'] {
    delete intent.failure_code
    intent.state = 'authorised'
    if (card === 'captured at once') {
      intent.unasked = true
      this.take(intent)
      this.tell('captured', intent)
    } else this.tell('authorised', intent)
    return intent.state
  }

  private take(intent: Mutable<Intent>): void {
    intent.state = 'captured'
    intent.amount_received += intent.amount
    intent.captures += 1
  }

  private get(ref: string): Mutable<Intent> {
    const intent = this.intents.get(ref)
    if (intent === undefined) throw new Error(`no payment ${ref}`)
    return intent
  }

  private tell(type: ProviderEvent['type'], intent: Intent): void {
    const event_id = `${intent.provider_ref}-${++this.events}`
    this.send(this.name, { event_id, type, payment: view(intent), occurred_at: Math.floor(this.world.time) })
  }
}

const view = ({ captures: _captures, unasked: _unasked, ...payment }: Intent): ProviderPayment => payment

export interface ProviderServer extends Server {
  readonly model: ProviderModel
}

export function createProviderServer(world: World, model: ProviderModel): ProviderServer {
  const unavailable = (why: string) => () => new ProviderUnavailable(model.name, why)
  return {
    ...{ name: model.name, model, up: true, life: 1 },
    losses: world.pick([0, 0.02, 0.2]),
    refused: unavailable('no connection'),
    lost: unavailable('no answer'),
  }
}

/** The adapter as a process has it. A call may time out after it took effect. */
export function modelProvider(
  node: Node,
  server: ProviderServer,
  watch: { captured(order_id: string): void },
): PaymentProvider {
  const { model } = server
  const call = <Answer>(what: string, effect: () => Answer) =>
    node.call(server, `${model.name}: ${what}`, effect)
  return {
    name: model.name,
    start: async (order) => {
      const payment = await call(`open ${short(order.order_id)}`, () => model.open(order))
      return { payment, browser: { ref: payment.provider_ref } }
    },
    authorise: (ref) => call(`authorise ${ref}`, () => model.authorise(ref)),

    find: (ref) => call(`find ${ref}`, () => model.find(ref)),
    capture: (ref, order_id) =>
      call(`capture ${ref}`, () => {
        if (model.find(ref)?.state === 'authorised') watch.captured(order_id)
        return model.capture(ref)
      }),
    cancel: (ref) => call(`cancel ${ref}`, () => model.cancel(ref)),
    refund: (ref) => call(`refund ${ref}`, () => model.refund(ref)),
    readWebhook: () => ({ kind: 'invalid', reason: 'bad_payload' }),
  }
}
