import type { ProviderEvent, ProviderName } from '../../src/flow/payments/payments.ts'
import type { Auditor } from './auditor.ts'
import type { Mutation } from './mutations.ts'
import type { Processes } from './trouble.ts'
import type { World } from './world.ts'

const ATTEMPTS = 8

/** The way of a provider's events to us: late, twice, out of order, or never; repeated until they are answered. */
export class Webhooks {
  private processes: Processes | undefined
  private readonly world: World
  private readonly loss: number
  private readonly auditor: Auditor
  private readonly mutation: Mutation

  constructor(world: World, loss: number, auditor: Auditor, mutation: Mutation) {
    this.world = world
    this.loss = loss
    this.auditor = auditor
    this.mutation = mutation
  }

  open(processes: Processes): void {
    this.processes = processes
  }

  send(provider: ProviderName, event: ProviderEvent): void {
    const { world } = this
    if (world.chance(this.loss)) {
      world.count('provider event: lost')
      world.note(provider, () => `event ${event.event_id} ${event.type} gets lost`)
      return
    }
    for (let copy = world.chance(0.15) ? 2 : 1; copy > 0; copy -= 1)
      world.after(world.chance(0.1) ? world.between(1000, 20_000) : world.between(5, 400), () =>
        this.deliver(provider, event, 1),
      )
  }

  private deliver(provider: ProviderName, event: ProviderEvent, attempt: number): void {
    const { world, auditor } = this
    const web = world.pick([...(this.processes?.webs.values() ?? [])])
    let over = false
    const again = (why: string) => {
      if (over) return
      over = true
      world.note(provider, () => `event ${event.event_id} ${event.type}: ${why}`)
      if (attempt < ATTEMPTS)
        world.after(world.between(500, 1000 * attempt), () => this.deliver(provider, event, attempt + 1))
    }
    world.after(5000, () => again('no answer'))
    web.node.later(world.latency(), () => {
      world.note(web.node.name, () => `event ${event.event_id} ${event.type} arrives`)
      const first =
        this.mutation.captureFirst && event.type === 'authorised'
          ? web.providers
              .find(({ name }) => name === provider)
              ?.capture(event.payment.provider_ref, event.payment.order_id)
          : undefined
      Promise.resolve(first)
        .then(() => web.payments.receive(provider, event))
        .then(
          (effect) => {
            world.note(web.node.name, () => `event ${event.event_id} ${event.type}: ${effect}`)
            world.count(`provider event: ${effect}`)
            if (effect === 'early') return again(effect)
            over = true
            // An approval asks for something; only what it leads to has an effect, with an id of its own.
            if (event.type !== 'approved' && (effect === 'paid' || effect === 'recorded'))
              auditor.received(event.event_id, event.payment.user_id)
          },
          (error: unknown) => again((error as Error).message),
        )
    })
  }
}
