import type { KafkaRecord } from '../../platform/kafka.ts'

/** How far a consumer may commit: past everything that is done, and never past something that is not. */
export interface Watermark {
  /** These were dealt with, but for those that are held. */
  pass(records: readonly KafkaRecord[]): void
  /** The effect of this record is not durable yet. `key`: of its event, which may come in several records. */
  hold(key: string, record: KafkaRecord): void
  release(key: string): void
  /** Of each partition the last record up to which all are done. */
  committable(): KafkaRecord[]
}

export function createWatermark(): Watermark {
  const passed = new Map<number, KafkaRecord>()
  const held = new Map<string, KafkaRecord[]>()
  return {
    pass: (records) => {
      for (const record of records) passed.set(record.partition, record)
    },
    hold: (key, record) => void held.set(key, [...(held.get(key) ?? []), record]),
    release: (key) => void held.delete(key),
    committable: () => {
      const first = new Map<number, bigint>()
      for (const { partition, offset } of [...held.values()].flat())
        if (offset < (first.get(partition) ?? offset + 1n)) first.set(partition, offset)
      return [...passed.values()].flatMap((last) => {
        const open = first.get(last.partition)
        // One that is held may belong to a batch that was not passed yet.
        if (open === undefined || open > last.offset) return [last]
        return open > 0n ? [{ ...last, offset: open - 1n }] : []
      })
    },
  }
}
