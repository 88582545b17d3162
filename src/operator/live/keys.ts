import type { SaleId } from '../../contracts/ids.ts'

/** What this folder keeps in Redis. The hash tag keeps what belongs to one sale on one slot. */
export const liveKeys = {
  /** Hash: process -> what it has counted since it started, as JSON. */
  counts: (sale: SaleId) => `live:{${sale}}:counts`,
  /** Stream of samples. The id of an entry is the second it was taken in: there is no second sample of one. */
  samples: (sale: SaleId) => `live:{${sale}}:samples`,
  /** Who takes the samples; it only saves work, the ids above see to it that there is one a second. */
  sampler: 'live:sampler',
}

/** After the last write nobody asks for a sale's samples much longer. */
export const KEEP_MS = 2 * 24 * 3_600_000
