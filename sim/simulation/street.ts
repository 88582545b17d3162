import type { Cluster, Web } from './cluster.ts'

/** What the buyers were told: all that the auditor may hold against the stores. */
export interface History {
  /** By order: an answer that said "yours". */
  readonly acknowledged: Map<string, Acknowledged>
  /** By buyer and idempotency key: the orders they were told of. */
  readonly told: Map<string, Set<string>>
}

export interface Acknowledged {
  readonly user_id: string
  readonly item_id: string
  readonly quantity: number
  readonly receipt: string
  /** The receipt was shown when nobody knew the order any more, and this was the answer. */
  refused?: string
}

export interface Street {
  readonly cluster: Cluster
  readonly history: History
  readonly newOrderId: () => string
  /** A web process that is there, as far as anybody can tell. */
  readonly web: () => Web
}

type Answer<Body> = { readonly kind: 'answer'; readonly body: Body } | { readonly kind: 'none' }

const ANSWER_MS = 5000

/** One request to some web process: it may never arrive, and its answer may be lost. */
export function request<Body>(
  { cluster, web }: Street,
  who: string,
  what: string,
  handle: (web: Web) => Promise<Body>,
): Promise<Answer<Body>> {
  const { world } = cluster
  return new Promise((resolve) => {
    const to = web()
    let over = false
    const answer = (answered: Answer<Body>) => {
      if (over) return
      over = true
      world.note(
        who,
        () => `${what} -> ${answered.kind === 'none' ? 'no answer' : JSON.stringify(answered.body)}`,
      )
      resolve(answered)
    }
    const lost = () => !world.healed && world.chance(0.02)
    world.note(who, () => `${what} at ${to.node.name}`)
    world.after(ANSWER_MS, () => answer({ kind: 'none' }))
    if (lost()) return
    to.node.later(world.latency(), () => {
      handle(to).then(
        (body) =>
          !lost() && world.after(world.latency(), () => to.node.alive && answer({ kind: 'answer', body })),
        (error: unknown) => {
          world.note(to.node.name, () => `${what} fails: ${(error as Error).message}`)
          world.after(world.latency(), () => answer({ kind: 'none' }))
        },
      )
    })
  })
}

export const pause = ({ cluster: { world } }: Street, ms: number) =>
  new Promise<void>((resolve) => world.after(ms, resolve))
