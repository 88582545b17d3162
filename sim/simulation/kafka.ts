import type { Delivery } from '../../src/flow/events/events.ts'
import { keyOf } from '../../src/flow/events/postponed.ts'
import { logicalShard } from '../../src/platform/shards/logical.ts'
import type { Server } from './node.ts'
import type { World } from './world.ts'

export interface Poll {
  readonly generation: number
  readonly partition: number
  /** Where the next batch begins. */
  readonly next: number
  readonly batch: readonly Delivery[]
}

export type Reader = ReturnType<typeof createReader>

/**
 * How far one worker has read in one generation of the group, and what of that SQL does not have yet: it alone knows, the
 * broker knows what was committed.
 */
export function createReader(generation = -1) {
  const positions = new Map<number, number>()
  const held = new Map<string, { partition: number; offset: number }>()
  return {
    generation,
    /** By partition: where it reads on. */
    positions: positions as ReadonlyMap<number, number>,
    pass: ({ partition, next, batch }: Poll) => {
      positions.set(partition, next)
      for (const [index, delivery] of batch.entries()) {
        const key = keyOf(delivery)
        if (!held.has(key)) held.set(key, { partition, offset: next - batch.length + index })
      }
    },
    release: (done: readonly Delivery[]) => {
      for (const delivery of done) held.delete(keyOf(delivery))
    },
    /** By partition: SQL has everything before. */
    committable: (): ReadonlyMap<number, number> => {
      const upTo = new Map(positions)
      for (const { partition, offset } of held.values())
        upTo.set(partition, Math.min(upTo.get(partition) ?? offset, offset))
      return upTo
    },
  }
}

const PARTITIONS = 2
/** A worker that has not polled for so long is out of the group; its partitions go to others. */
const SESSION_MS = 5000

/** A topic of two partitions and one consumer group. A crash may lose what was not yet on disk. */
export class KafkaModel {
  readonly partitions: Delivery[][] = Array.from({ length: PARTITIONS }, () => [])
  readonly committed: number[] = Array.from({ length: PARTITIONS }, () => 0)
  private readonly seen = new Map<string, number>()
  private members: string[] = []
  private generation = 0

  publish(batch: readonly Delivery[]): void {
    for (const delivery of batch)
      this.partitions[logicalShard(delivery.event.user_id) % PARTITIONS]?.push(delivery)
  }

  /** Also the sign of life that keeps a worker in the group. */
  poll(worker: string, now: number, max: number, reader: Reader): Poll | undefined {
    this.seen.set(worker, now)
    const members = [...this.seen].flatMap(([name, at]) => (now - at <= SESSION_MS ? name : [])).sort()
    if (members.join() !== this.members.join()) {
      this.members = members
      this.generation += 1
    }
    for (const [partition, log] of this.partitions.entries()) {
      const position = reader.generation === this.generation ? reader.positions.get(partition) : undefined
      const from = position ?? this.committed[partition] ?? 0
      if (members[partition % members.length] !== worker || from >= log.length) continue
      const batch = log.slice(from, from + max)
      return { generation: this.generation, partition, next: from + batch.length, batch }
    }
    return undefined
  }

  ends(): number[] {
    return this.partitions.map((log) => log.length)
  }

  /** From a worker that is no longer of the group it changes nothing. */
  commit(worker: string, reader: Reader): void {
    if (reader.generation !== this.generation) throw new Error(`${worker} is not of this generation`)
    for (const [partition, upTo] of reader.committable())
      this.committed[partition] = Math.max(this.committed[partition] ?? 0, upTo)
  }

  /** The unsynced end of each partition is gone, and with it everybody's membership. */
  crash(lost: number): void {
    for (const [partition, log] of this.partitions.entries()) {
      log.length = Math.max(0, log.length - lost)
      this.committed[partition] = Math.min(this.committed[partition] ?? 0, log.length)
    }
    this.seen.clear()
    this.members = []
  }
}

export interface KafkaServer extends Server {
  readonly model: KafkaModel
}

export function createKafkaServer(world: World, model: KafkaModel): KafkaServer {
  return {
    ...{ name: 'kafka', model, up: true, life: 1 },
    losses: world.chance(0.5) ? 0.02 : 0,
    refused: () => new Error('no broker'),
    lost: () => new Error('the broker did not answer'),
  }
}
