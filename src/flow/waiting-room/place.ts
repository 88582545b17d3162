import { drawnPosition, drawSeed } from '../../contracts/draw.ts'
import type { QueueStatus } from './status.ts'
import type { Line } from './scripts.ts'
import type { Slot } from './tickets.ts'

type Lobby = NonNullable<Line['lobby']>

// The seed of a draw is the same for everybody in it; a few sales are on at a time.
const seeds = new Map<string, string>()

function seedOf({ secret, size, tickets_hash }: Lobby): string {
  const known = seeds.get(secret)
  if (known !== undefined) return known
  if (seeds.size > 100) seeds.clear()
  const seed = drawSeed({ secret, lobby_size: size, tickets_hash })
  seeds.set(secret, seed)
  return seed
}

/**
 * The position of a ticket: its own, or for one of the lobby what the order of the sale makes of it, which nobody can
 * know before the sale has opened (undefined).
 */
export function positionOf(slot: Slot, lobby: Lobby | undefined): number | undefined {
  if (slot.position !== undefined) return slot.position
  if (lobby === undefined) return undefined
  if (lobby.secret === '') return slot.lobby_index
  return drawnPosition(seedOf(lobby), lobby.size, slot.lobby_index)
}

/** First come, first served: an index of the lobby will be the position. In a draw it says nothing. */
export function expectedPosition(
  slot: Slot,
  lobby: Lobby | undefined,
  status: QueueStatus,
): number | undefined {
  return positionOf(slot, lobby) ?? (status.draw === null ? slot.lobby_index : undefined)
}
