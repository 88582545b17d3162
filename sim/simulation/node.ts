import type { Clock } from '../../src/platform/clock.ts'
import { Blocked } from './postgres-model.ts'
import type { World } from './world.ts'

/** Something a process calls over the network. */
export interface Server {
  readonly name: string
  up: boolean
  /** Rises with each restart: what was under way to the one before is lost. */
  life: number
  /** Nothing was done. */
  readonly refused: () => Error
  /** It may have been done or not. */
  readonly lost: () => Error
  /** Probability that a call's request, or its answer, is lost. */
  readonly losses: number
}

/** How long a statement waits for a lock; platform/postgres.ts sets the same. */
const STATEMENT_TIMEOUT_MS = 10_000

/** Timers are coarse: whoever looks at something often would fill the run with looking. */
const COARSE_MS = 100

/** One life of a process. After its death nothing of it goes on; what it has sent may still arrive. */
export class Node {
  alive = true
  /** Frozen until then, in virtual time. */
  thawsAt = 0
  /** Its clock is off by so much, in ms. */
  clockOff = 0
  readonly onDeath: (() => void)[] = []
  readonly clock: Clock
  readonly world: World
  readonly name: string
  private readonly stopping = new AbortController()

  constructor(world: World, name: string) {
    this.world = world
    this.name = name
    this.clock = {
      now: () => Math.floor(world.time + this.clockOff),
      sleep: (ms, signal) => this.sleep(ms, signal),
    }
  }

  /** Never aborted by a kill, which leaves no time for anything. */
  get signal(): AbortSignal {
    return this.stopping.signal
  }

  kill(): void {
    this.alive = false
    for (const act of this.onDeath) act()
  }

  /** On this node, as soon as it is awake; never if it dies before. */
  later(ms: number, act: () => void): void {
    this.world.after(ms, () => {
      if (!this.alive) return
      if (this.world.time < this.thawsAt) this.later(this.thawsAt - this.world.time, act)
      else act()
    })
  }

  /** A call: it takes effect when it arrives, if it does, and is answered later, if it is. */
  call<Answer>(server: Server, what: string, effect: () => Answer): Promise<Answer> {
    const { world } = this
    return new Promise<Answer>((resolve, reject) => {
      const life = server.life
      const answer = (act: () => void, delay = world.latency()) => this.later(delay, act)
      const fail = (error: Error, delay?: number) => {
        world.note(this.name, () => `${what} -> ${error.message}`)
        answer(() => reject(error), delay)
      }
      if (!server.up) return fail(server.refused())
      const lose = () => !world.healed && world.chance(server.losses)
      let expired = false
      const perform = () => {
        if (expired) return
        if (server.life !== life) return fail(server.lost())
        let result: Answer
        try {
          result = effect()
        } catch (error) {
          if (error instanceof Blocked) {
            if (!waiting) world.after(STATEMENT_TIMEOUT_MS, timeOut)
            waiting = true
            error.holder.whenOver(() => world.after(0, perform))
          } else fail(error as Error)
          return
        }
        settled = true
        world.note(this.name, () => `${what} = ${show(result)}`)
        if (lose()) fail(server.lost(), world.between(10, 2000))
        else answer(() => (server.life === life ? resolve(result) : reject(server.lost())))
      }
      let waiting = false
      let settled = false
      const timeOut = () => {
        if (settled || expired) return
        expired = true
        fail(Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' }))
      }
      world.after(world.latency(), () => {
        if (!server.up || server.life !== life || lose()) fail(server.lost(), world.between(10, 2000))
        else perform()
      })
    })
  }

  private sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      signal?.addEventListener('abort', () => resolve(), { once: true })
      this.later(Math.max(ms, COARSE_MS), resolve)
    })
  }
}

const show = (value: unknown): string => JSON.stringify(value) ?? 'done'
