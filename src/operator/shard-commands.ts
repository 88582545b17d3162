import { userInfo } from 'node:os'
import type { Env } from '../platform/config.ts'
import { SettingError } from '../platform/errors.ts'
import { readRunFile } from '../platform/servers/data-dir.ts'
import { LOGICAL_SHARDS } from '../platform/shards/logical.ts'
import { planBalance } from '../platform/shards/balance.ts'
import { type Moved, type Mover, type ServerLine, withMover } from '../platform/shards/mover.ts'
import type { ShardUsage } from './shard-flags.ts'
import { insertAudit } from './sql.ts'

/** The cleanup worker may just finish what a command before this one has left. */
const PATIENCE_MS = 15_000

export interface ShardOptions {
  readonly dataDir: string
  readonly reason?: string
  readonly to?: string
  readonly count?: string
  readonly logical?: string
  readonly without?: string
}

/**
 * Carries out a command about logical shards, on the databases themselves: whoever may write there may do this. Prints as
 * it goes. Throws SettingError for whatever the caller can put right.
 */
export async function shardCommand(
  usage: ShardUsage,
  options: ShardOptions,
  env: Env,
  print: (line: string) => void,
): Promise<void> {
  const urls = databaseUrls(options.dataDir, env)
  const onMoved = ({ logical, from, to, rows, fence_ms }: Moved) =>
    print(`${logical}: server ${from} -> ${to}, ${rows} rows, fenced for ${fence_ms.toFixed(1)} ms`)
  const parts = { onMoved, looksOnly: usage === 'list', patienceMs: PATIENCE_MS }
  const done = await withMover(urls, parts, async (mover) => {
    if (usage === 'list') return (await mover.list()).forEach((server) => print(lineOf(server)))
    const note = (target: string, detail: Record<string, unknown>) =>
      insertAudit(mover.catalogue, {
        ...{ operator: `command line of ${userInfo().username}`, command: `shards.${usage}`, target, detail },
        reason: options.reason ?? 'by command line',
      })
    if (usage === 'cancel') {
      await note('shard map', {})
      const stayed = await mover.cancel()
      return print(`${stayed.length} logical shards stay where they are`)
    }
    const plan = await planOf(usage, mover, options)
    for (const [to, logical] of plan) if (logical.length > 0) await note(`server ${to}`, { logical })
    const unfinished = await mover.unfinished()
    if (unfinished.length > 0) print(`${unfinished.length} of an interrupted move go first`)
    const moved = await finish(mover, unfinished)
    // What was unfinished may have been a part of it.
    for (const [to, logical] of await planOf(usage, mover, options))
      moved.push(...(await mover.move(logical, to)))
    print(summary(moved))
  })
  if (done === 'busy')
    throw new SettingError('Somebody moves logical shards at the moment; `shards list` says how far that is')
}

/** What somebody announced and did not bring to an end. */
export async function finish(
  mover: Mover,
  unfinished: readonly { logical: number; to: number }[],
): Promise<Moved[]> {
  const moved: Moved[] = []
  for (const [to, rows] of Map.groupBy(unfinished, (row) => row.to))
    moved.push(
      ...(await mover.move(
        rows.map(({ logical }) => logical),
        to,
      )),
    )
  return moved
}

async function planOf(
  usage: 'move' | 'balance',
  mover: Mover,
  { to, count, logical, without }: ShardOptions,
): Promise<Map<number, readonly number[]>> {
  const servers = await mover.list()
  const known = (text: string | undefined, flag: string) => {
    const server = servers.find((one) => String(one.server) === text)
    if (server === undefined)
      throw new SettingError(`${flag} is one of the servers ${servers.map((one) => one.server).join(', ')}`)
    return server
  }
  if (usage === 'balance') {
    const away = without === undefined ? undefined : known(without, '--without')
    if (away?.server === 0) throw new SettingError('Server 0 keeps the catalogue and the shard map: it stays')
    requirePlaces(servers)
    return planBalance(
      servers.filter(({ place }) => place !== undefined),
      away?.server,
    )
  }
  const target = known(to, '--to')
  if (target.place === undefined) throw new SettingError(`Server ${target.server} is not among DATABASE_URLS`)
  if ((count === undefined) === (logical === undefined))
    throw new SettingError('Say how many with --count, or which with --logical')
  if (logical !== undefined) return new Map([[target.server, readNumbers(logical)]])
  const wanted = Number(count)
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > LOGICAL_SHARDS)
    throw new SettingError(`--count is a whole number from 1 to ${LOGICAL_SHARDS}`)
  return new Map([[target.server, fromTheFullest(servers, target.server, wanted)]])
}

function requirePlaces(servers: readonly ServerLine[]): void {
  const missing = servers.find(({ place, logical }) => place === undefined && logical.length > 0)
  if (missing !== undefined) throw new SettingError(`Server ${missing.server} is not among DATABASE_URLS`)
}

function fromTheFullest(servers: readonly ServerLine[], to: number, count: number): number[] {
  const others = servers.filter(({ server }) => server !== to).map(({ logical }) => [...logical])
  const picked: number[] = []
  while (picked.length < count) {
    const fullest = others.reduce((most, one) => (one.length > most.length ? one : most), [] as number[])
    const one = fullest.pop()
    if (one === undefined) break
    picked.push(one)
  }
  return picked
}

/** "3,17,40-55" */
export function readNumbers(text: string): number[] {
  const numbers = text.split(',').flatMap((part) => {
    const [, low, high = low] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part) ?? []
    const [from, to] = [Number(low), Number(high)]
    if (low === undefined || from > to || to >= LOGICAL_SHARDS)
      throw new SettingError(`--logical: numbers from 0 to ${LOGICAL_SHARDS - 1}, for instance 3,17,40-55`)
    return Array.from({ length: to - from + 1 }, (_, at) => from + at)
  })
  return [...new Set(numbers)]
}

function lineOf({ server, place, logical, leaving, orders }: ServerLine): string {
  return [
    `server ${server} (${place ?? 'not among DATABASE_URLS'}): ${logical.length} logical shards`,
    ...(leaving > 0 ? [`${leaving} of them on their way to another`] : []),
    ...(orders === undefined ? [] : [`${orders} orders`]),
  ].join(', ')
}

function summary(moved: readonly Moved[]): string {
  if (moved.length === 0) return 'Nothing has to be moved'
  const rows = moved.reduce((sum, one) => sum + one.rows, 0)
  const worst = Math.max(...moved.map(({ fence_ms }) => fence_ms))
  return `${moved.length} logical shards and ${rows} rows moved; longest fence ${worst.toFixed(1)} ms`
}

function databaseUrls(dataDir: string, env: Env): readonly string[] {
  const urls = (env['DATABASE_URLS'] ?? '')
    .split(',')
    .map((url) => url.trim())
    .filter(Boolean)
  const found = urls.length > 0 ? urls : readRunFile(dataDir)?.database_urls
  if (found === undefined)
    throw new SettingError(
      'Set DATABASE_URLS, or start Doorbuster with `npm start`: the shard map lies in the first one',
    )
  return found
}
