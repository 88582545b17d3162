import { commitmentTo, drawnPosition, drawSeed, indexAt } from '../contracts/draw.ts'
import type { ProblemBody } from '../contracts/problems.ts'
import type { QueueStatus } from '../contracts/shapes.ts'
import { SettingError } from '../platform/errors.ts'
import { readRunFile } from '../platform/servers/data-dir.ts'

/** The public status of a sale: from a queue's URL, or from the system that runs in a data folder. */
export interface DrawSource {
  readonly sale: string
  readonly url?: string | undefined
  readonly dataDir: string
}

export interface Verdict {
  readonly verified: boolean
  /** For a person to read. */
  readonly lines: readonly string[]
}

/** Of a bigger lobby only so many places are computed, to see that no two people share one. */
const CHECKED = 100_000
const FIRST = 10

/** Throws SettingError, in one line, where there is no such sale or nothing answers. */
export async function fetchDraw({ sale, url, dataDir }: DrawSource): Promise<QueueStatus> {
  const path = `/api/queue/${encodeURIComponent(sale)}`
  const { address, host } =
    url === undefined ? running(dataDir) : { address: url.replace(/\/+$/, ''), host: undefined }
  const answer = await fetch(address + path, {
    signal: AbortSignal.timeout(15_000),
    ...(host === undefined ? {} : { headers: { Host: host } }),
  }).catch((error: unknown) => {
    throw new SettingError(`${address} does not answer: ${(error as Error).message}`)
  })
  const body: unknown = await answer.json().catch(() => ({}))
  if (!answer.ok)
    throw new SettingError(`${sale}: ${(body as Partial<ProblemBody>).title ?? `status ${answer.status}`}`)
  return body as QueueStatus
}

function running(dataDir: string): { address: string; host: string } {
  const run = readRunFile(dataDir)
  if (run === undefined)
    throw new SettingError(
      'Doorbuster is not running here: start it with `npm start`, or give --url <queue url>',
    )
  return { address: `http://127.0.0.1:${run.port}`, host: new URL(run.urls.queue).host }
}

/**
 * Recomputes a draw from what is published. `index`: a lobby index whose place is wanted; without it the shuffle itself
 * is checked. Not verified: no draw, not yet held, another secret than promised, or an index that is not in it.
 */
export function verifyDraw({ draw }: Pick<QueueStatus, 'draw'>, index?: number): Verdict {
  if (draw === null) return refused('This sale has no draw: first come, first served.')
  const { commitment, secret, lobby_size, tickets_hash } = draw
  const lines = [`commitment    ${commitment}`]
  if (secret === null || lobby_size === null || tickets_hash === null)
    return refused(...lines, 'The draw is held at the opening: nothing can be verified yet.')
  lines.push(`secret        ${secret}`, `lobby_size    ${lobby_size}`, `tickets_hash  ${tickets_hash}`)
  if (!/^[0-9a-f]{64}$/.test(secret))
    return refused(...lines, 'NOT verified: the secret is no 32 bytes in hex.')
  if (commitmentTo(secret) !== commitment)
    return refused(...lines, 'NOT verified: the secret is not the one that was committed to.')
  const seed = drawSeed({ secret, lobby_size, tickets_hash })
  lines.push(`seed          ${seed}`, 'The secret is the one that was committed to.')
  if (index === undefined && lobby_size === 0)
    return { verified: true, lines: [...lines, 'Nobody was in the lobby.'] }
  if (index !== undefined) {
    if (index < 1 || index > lobby_size)
      return refused(...lines, `There is no lobby index ${index}: the lobby had ${lobby_size} people.`)
    lines.push(`lobby index ${index} has position ${drawnPosition(seed, lobby_size, index)}`)
    return { verified: true, lines }
  }
  const checked = Math.min(lobby_size, CHECKED)
  if (distinctPositions(seed, lobby_size, checked) < checked)
    return refused(...lines, 'NOT verified: two lobby indices have one position.')
  lines.push(
    checked === lobby_size
      ? `Every one of the ${lobby_size} lobby indices has a position of its own.`
      : `The first ${checked} of ${lobby_size} lobby indices have positions of their own.`,
  )
  const winners = Array.from({ length: Math.min(FIRST, lobby_size) }, (_, i) =>
    indexAt(seed, lobby_size, i + 1),
  )
  lines.push(`first in line: lobby ${winners.length === 1 ? 'index' : 'indices'} ${winners.join(', ')}`)
  return { verified: true, lines }
}

function distinctPositions(seed: string, lobbySize: number, count: number): number {
  const seen = new Set<number>()
  for (let index = 1; index <= count; index += 1) seen.add(drawnPosition(seed, lobbySize, index))
  return seen.size
}

function refused(...lines: string[]): Verdict {
  return { verified: false, lines }
}
