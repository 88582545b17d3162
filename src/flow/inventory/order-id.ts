import { v7 as uuidv7 } from 'uuid'
import type { OrderId, UserId } from '../../contracts/ids.ts'
import { sha256 } from '../../platform/digest.ts'

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
  const digest = sha256(JSON.stringify([pass, user_id, idempotency_key]))
  const msecs = issuedAt(pass) * 1000
  return uuidv7({
    msecs,
    seq: digest.readUInt32BE(16),
    random: digest.subarray(0, 16),
  })
}

/** In seconds. Unchecked: a pass that is none of ours makes no order, whatever its id would be. */
function issuedAt(pass: string): number {
  const claims = Buffer.from(pass.split('.')[1] ?? '', 'base64url').toString('latin1')
  return Number(/"iat":(\d{1,11})[,}]/.exec(claims)?.[1] ?? 0)
}
