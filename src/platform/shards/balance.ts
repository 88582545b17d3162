import { LOGICAL_SHARDS } from './logical.ts'
import type { ServerLine } from './mover.ts'

/**
 * What has to move where, so that no server has more than one logical shard more than another, and `without` has none. As
 * few as possible are moved.
 */
export function planBalance(
  servers: readonly Pick<ServerLine, 'server' | 'logical'>[],
  without?: number,
): Map<number, number[]> {
  const staying = servers.filter(({ server }) => server !== without).length
  const least = Math.floor(LOGICAL_SHARDS / staying)
  let extra = LOGICAL_SHARDS % staying
  const spare: number[] = []
  const short: { server: number; by: number }[] = []
  for (const { server, logical } of servers.toSorted((a, b) => b.logical.length - a.logical.length)) {
    const share = server === without ? 0 : least + (extra-- > 0 ? 1 : 0)
    if (logical.length > share) spare.push(...logical.slice(share))
    else if (logical.length < share) short.push({ server, by: share - logical.length })
  }
  return new Map(short.map(({ server, by }) => [server, spare.splice(0, by)]))
}
