import { createHash } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { OrderId, UserId } from '../../contracts/ids.ts'

export interface NamedRequest {
  readonly pass: string
  readonly user_id: UserId
  readonly idempotency_key: string
}

/**
 * The id of the order that a request would make: a UUIDv7 of the second the pass was given in, the rest a hash of the
 * request. Asked again after Redis has forgotten what the pass was used for, it is the same order, which SQL may know.
 */
export function orderIdOf({ pass, user_id, idempotency_key }: NamedRequest): OrderId {
  const digest = createHash('sha256')
    .update(JSON.stringify([pass, user_id, idempotency_key]))
    .digest()
  const msecs = issuedAt(pass) * 1000
  return uuidv7({ msecs, seq: digest.readUInt32BE(16), random: digest.subarray(0, 16) })
}

/** Unchecked: a pass that is none of ours makes no order, whatever its id would be. */
function issuedAt(pass: string): number {
  try {
    const claims: unknown = JSON.parse(Buffer.from(pass.split('.')[1] ?? '', 'base64url').toString())
    const { iat } = claims as { iat?: unknown }
    return Number.isSafeInteger(iat) && (iat as number) >= 0 && (iat as number) < 2 ** 38
      ? (iat as number)
      : 0
  } catch {
    return 0
  }
}
