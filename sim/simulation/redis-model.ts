import type { DomainEvent } from '../../src/contracts/events.ts'
import type { ItemId } from '../../src/contracts/ids.ts'
import type { DeadLetter } from '../../src/flow/events/events.ts'
import { InventoryModel } from '../../src/flow/inventory/model.ts'
import type { PassOutcome } from '../../src/flow/waiting-room/waiting-room.ts'

/** Everything one Redis server holds: items with their outboxes, consumer groups, passes. */
export interface RedisState {
  readonly items: Map<ItemId, InventoryModel>
  /** By group and `item:id`: who has the entry and since when. */
  readonly pending: Map<string, { consumer: string; since: number }>
  /** By group and item: the last entry given to anybody. */
  readonly given: Map<string, number>
  /** By pass: the request it is bound to. */
  readonly passes: Map<string, { order_id: string; user_id: string; key: string; body: string; uses: number }>
  readonly deadLetters: Map<string, { letter: DeadLetter; event: DomainEvent }>
}

type Command = (state: RedisState) => unknown

/** How an item is made; the simulation plants bugs here. */
export type ItemFactory = (now: () => number) => InventoryModel

/**
 * One Redis server: what it holds, and the journal of the commands that made it, each with its time. A crash plays the
 * journal again, whole or without its tail, as a server does with its append-only file or a replica with what it got.
 */
export class RedisModel {
  run = 1
  private state: RedisState
  private journal: { at: number; command: Command }[] = []
  private time = 0
  private readonly now: () => number
  private readonly createItem: ItemFactory

  constructor(now: () => number, createItem: ItemFactory = (at) => new InventoryModel(at)) {
    this.now = now
    this.createItem = createItem
    this.state = this.empty()
  }

  get run_id(): string {
    return `run-${this.run}`
  }

  get written(): number {
    return this.journal.length
  }

  /** `propagates`: whether the answer shows a change; one that changed nothing leaves no line in the journal. */
  write<Answer>(
    command: (state: RedisState) => Answer,
    propagates: (answer: Answer) => boolean = () => true,
  ): Answer {
    this.time = this.now()
    const answer = command(this.state)
    if (propagates(answer)) this.journal.push({ at: this.time, command })
    return answer
  }

  read<Answer>(command: (state: RedisState) => Answer): Answer {
    this.time = this.now()
    return command(this.state)
  }

  /** Another process from here on, which has forgotten the last `lost` writes. */
  restart(lost: number): void {
    this.run += 1
    this.journal.length = Math.max(0, this.journal.length - lost)
    this.state = this.empty()
    for (const { at, command } of this.journal) {
      this.time = at
      command(this.state)
    }
  }

  item(state: RedisState, id: ItemId): InventoryModel {
    let item = state.items.get(id)
    if (item === undefined) state.items.set(id, (item = this.createItem(() => this.time)))
    return item
  }

  private empty(): RedisState {
    return {
      items: new Map(),
      pending: new Map(),
      given: new Map(),
      passes: new Map(),
      deadLetters: new Map(),
    }
  }
}

export interface PassUse {
  readonly pass: string
  readonly order_id: string
  readonly user_id: string
  readonly key: string
  readonly body: string
  readonly lookUp: boolean
}

/** bind-passes.lua, in short: a pass belongs to the request that came first. */
export function bindPass({ passes }: RedisState, use: PassUse): PassOutcome['kind'] | { order_id: string } {
  const known = passes.get(use.pass)
  if (known === undefined) {
    if (use.lookUp) return 'unused'
    const { order_id, user_id, key, body } = use
    passes.set(use.pass, { order_id, user_id, key, body, uses: 1 })
    return { order_id }
  }
  if (known.user_id !== use.user_id) return 'pass_foreign'
  if (known.key !== use.key) return 'pass_used'
  if (known.body !== use.body) return 'key_reused'
  known.uses += 1
  return { order_id: known.order_id }
}

/** unbind-pass.lua. */
export function freePass({ passes }: RedisState, pass: string, order_id: string): void {
  const known = passes.get(pass)
  if (known?.order_id !== order_id) return
  known.uses -= 1
  if (known.uses <= 0) passes.delete(pass)
}
