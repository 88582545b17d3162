import type { Random } from '../random.ts'
import { randomOf } from '../random.ts'

interface Step {
  readonly at: number
  /** Steps of one moment come in an order of their own for each seed. */
  readonly tie: number
  readonly act: () => void
}

/** When every run begins: 2026-11-27 00:00 UTC, in ms. */
const START = 1_795_737_600_000

/**
 * Time, chance and the order of things. Whatever happens is a step in one queue, ordered by a virtual time that the
 * seed draws; between two steps all code that can go on does, so a run is a function of its seed.
 */
export class World {
  readonly random: Random
  time = START
  /** Faults are injected until the world has healed. */
  healed = false
  steps = 0
  readonly lines: string[] = []
  readonly tally = new Map<string, number>()
  readonly recording: boolean
  /** How often a way through the network takes seconds. */
  private readonly slowness: number
  private readonly queue: Step[] = []

  constructor(seed: number, recording: boolean) {
    this.random = randomOf(seed, 'simulation')
    this.recording = recording
    this.slowness = this.pick([0, 0.003, 0.02])
  }

  /** ms since the run began. */
  get elapsed(): number {
    return this.time - START
  }

  chance(probability: number): boolean {
    return this.random() < probability
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.random() * (most - least + 1))
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.random() * items.length)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }

  /** How long one way through the network takes: mostly no time, now and then seconds. */
  latency(): number {
    if (!this.healed && this.chance(this.slowness)) return this.between(50, 3000)
    return this.between(1, 8)
  }

  after(ms: number, act: () => void): void {
    const step = { at: this.time + Math.max(0, ms), tie: this.random(), act }
    let place = this.queue.push(step) - 1
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = this.queue[parent] as Step
      if (!isBefore(step, above)) break
      this.queue[place] = above
      place = parent
    }
    this.queue[place] = step
  }

  /** Counts what happens in a run, to see that there was something to get wrong. */
  count(what: string, times = 1): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + times)
  }

  /** One line of the trace; costs nothing while nobody records. */
  note(who: string, what: () => string): void {
    if (!this.recording) return
    this.lines.push(`${(this.elapsed / 1000).toFixed(3).padStart(8)}  ${who.padEnd(12)} ${what()}`)
  }

  /** Goes on until nothing is left to happen before `until`, or until `over` says so. */
  async run(until: number, over: () => boolean = () => false): Promise<void> {
    for (;;) {
      await allThatCanGoOn()
      const next = this.queue[0]
      if (next === undefined || next.at - START > until || over()) break
      this.pop()
      this.time = Math.max(this.time, next.at)
      this.steps += 1
      next.act()
    }
  }

  private pop(): void {
    const queue = this.queue
    const last = queue.pop() as Step
    if (queue.length === 0) return
    let place = 0
    for (;;) {
      const left = 2 * place + 1
      const right = left + 1
      let least = left
      if (left >= queue.length) break
      if (right < queue.length && isBefore(queue[right] as Step, queue[left] as Step)) least = right
      if (isBefore(last, queue[least] as Step)) break
      queue[place] = queue[least] as Step
      place = least
    }
    queue[place] = last
  }
}

const isBefore = (one: Step, other: Step) => one.at < other.at || (one.at === other.at && one.tie < other.tie)

/** Promises have no order of their own to choose: they all go on before a turn of the event loop ends. */
const allThatCanGoOn = () => new Promise<void>((resolve) => setImmediate(resolve))
