import { randomFillSync } from 'node:crypto'
import type { SaleId } from '../contracts/ids.ts'
import { createBatcher } from '../platform/batch.ts'
import type { Clock } from '../platform/clock.ts'
import { defineScript } from '../platform/lua.ts'
import type { RedisConnection } from '../platform/redis.ts'
import burnSource from './burn.lua' with { type: 'text' }

/** Fills a buffer with random bytes; `node:crypto` outside tests. */
export type Random = (bytes: Buffer) => Buffer

/** Serials in a block: a bitmap of at most 8 kB. */
const BLOCK = 65_536
/** A block is left behind after this long, so that its bitmap can expire. */
const BLOCK_MS = 60_000
const POOL_BYTES = 4096

/**
 * Makes nonces of 16 bytes: 10 that name a block, 2 that number the nonce in it, 4 more that are random. Each process
 * draws its own blocks, so no nonce is given twice and a used one costs a bit. A nonce need not be secret: what must
 * not be guessed ahead is the salt beside it.
 */
export function createNonces(clock: Clock, random: Random = randomFillSync) {
  const pool = Buffer.alloc(POOL_BYTES)
  let left = 0
  /** `size` random bytes; a call into the system for each would cost more than a whole challenge. */
  const draw = (size: number): Buffer => {
    if (left < size) {
      random(pool)
      left = pool.length
    }
    left -= size
    return pool.subarray(left, left + size)
  }

  const blocks = new Map<SaleId, { name: string; next: number; until: number }>()
  return {
    draw,
    next: (sale: SaleId): string => {
      let block = blocks.get(sale)
      if (block === undefined || block.next >= BLOCK || block.until <= clock.now()) {
        block = { name: draw(10).toString('hex'), next: 0, until: clock.now() + BLOCK_MS }
        blocks.set(sale, block)
      }
      const number = (block.next++).toString(16).padStart(4, '0')
      return block.name + number + draw(4).toString('hex')
    },
  }
}
export type Nonces = ReturnType<typeof createNonces>

export interface Burning {
  /** Bitmap and bit of the nonce. */
  readonly block: string
  readonly offset: number
  /** For how long it could still be shown. */
  readonly lifetime_ms: number
}

export const burnScript = defineScript({
  name: 'guard_burn',
  source: burnSource,
  keys: ({ sale, burnings }: { sale: SaleId; burnings: readonly Burning[] }) =>
    burnings.map(({ block }) => `guard:{${sale}}:used:${block}`),
  args: ({ burnings }) => burnings.flatMap(({ offset, lifetime_ms }) => [offset, lifetime_ms]),
  result: (reply) => reply as ('burnt' | 'used')[],
})

/** Clocks of nodes differ by less than this. */
export const SKEW_MS = 60_000

/** Uses nonces up, those of one event-loop turn together. Rejects where Redis does not answer: nothing may pass then. */
export function createBurner(redis: RedisConnection, clock: Clock) {
  const burners = new Map<SaleId, (burning: Burning) => Promise<'burnt' | 'used'>>()
  /** `nonce` is one of `createNonces`, signed by us; `expires_at` in ms. */
  return (sale: SaleId, nonce: string, expires_at: number): Promise<'burnt' | 'used'> => {
    let burn = burners.get(sale)
    if (burn === undefined) {
      burn = createBatcher((burnings: readonly Burning[]) =>
        burnScript.run(redis.commands, { sale, burnings }),
      )
      burners.set(sale, burn)
    }
    return burn({
      block: nonce.slice(0, 20),
      offset: Number.parseInt(nonce.slice(20, 24), 16),
      lifetime_ms: Math.max(1, expires_at - clock.now()) + SKEW_MS,
    })
  }
}
export type Burner = ReturnType<typeof createBurner>
