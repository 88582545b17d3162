import type { Habits } from '../crowd/plan.ts'
import type { Random } from '../random.ts'
import type { World } from './world.ts'

/** Something that goes wrong while people buy. One of a kind each; `faults.ts` lists them. */
export interface Fault {
  readonly name: string
  readonly component: string
  /** What is done, and what should come of it: two cells of the table in docs/reliability.md. */
  readonly does: string
  readonly expected: string
  /** What it can not do without: the full profile, the right to mount a file system. */
  readonly needs?: 'full' | 'root'
  /** Least and most seconds between its beginning and its end. */
  readonly lasts: readonly [number, number]
  /** What the crowd of its round does beside buying. */
  readonly habits?: Partial<Habits>
  /** Before the round; the answer undoes it after the round. */
  readonly prepare?: (world: World, random: Random) => Promise<() => Promise<void>>
  readonly inject: (world: World, random: Random, sale: string) => Promise<Injected>
}

export interface Injected {
  readonly heal: () => Promise<void>
  /** What shows that it has really happened, asked for once it is healed: a count and of what. 0: it has not. */
  readonly evidence: () => Evidence | Promise<Evidence>
}

export interface Evidence {
  readonly count: number
  readonly of: string
}
