import type { SaleId } from '../../contracts/ids.ts'
import type { Sql } from '../../platform/postgres.ts'

export interface LaneOf {
  readonly sale: SaleId
  readonly lane: string
}

/** How far a line was when somebody looked. */
export interface Progress {
  readonly serving: number
  /** Of the lobby, from the opening on. */
  readonly lobby: { readonly size: number; readonly tickets_hash: string } | undefined
}

export interface Mark extends Progress {
  /** No position beyond it has been given. */
  readonly ceiling: number
}

/** Where the marks are kept. */
export interface MarkStore {
  read(line: LaneOf): Promise<Mark | undefined>
  /** Serving numbers only grow, and a lobby closes once. */
  note(line: LaneOf, progress: Progress): Promise<void>
  /** Gives the new ceiling: at least `wanted`, and higher than it was, which makes a `lower` under way fail. */
  raise(line: LaneOf, wanted: number): Promise<number>
  /** Only where it still is `from`. */
  lower(line: LaneOf, from: number, to: number): Promise<void>
}

interface MarkRow {
  ceiling: number
  serving: number
  lobby_size: number | null
  tickets_hash: string | null
}

export function sqlMarkStore(sql: Sql): MarkStore {
  return {
    read: async ({ sale, lane }) => {
      const { rows } = await sql.query<MarkRow>(
        `select ceiling, serving, lobby_size, tickets_hash from queue_marks where sale_id = $1 and lane = $2`,
        [sale, lane],
      )
      const [row] = rows
      if (row === undefined) return undefined
      const { ceiling, serving, lobby_size: size, tickets_hash } = row
      const lobby = size === null || tickets_hash === null ? undefined : { size, tickets_hash }
      return { ceiling, serving, lobby }
    },
    note: async ({ sale, lane }, { serving, lobby }) => {
      await sql.query(
        `insert into queue_marks as before (sale_id, lane, serving, lobby_size, tickets_hash)
         values ($1, $2, $3, $4, $5)
         on conflict (sale_id, lane) do update set
           serving = greatest(before.serving, excluded.serving),
           lobby_size = coalesce(before.lobby_size, excluded.lobby_size),
           tickets_hash = coalesce(before.tickets_hash, excluded.tickets_hash)`,
        [sale, lane, serving, lobby?.size ?? null, lobby?.tickets_hash ?? null],
      )
    },
    raise: async ({ sale, lane }, wanted) => {
      const { rows } = await sql.query<{ ceiling: number }>(
        `insert into queue_marks as before (sale_id, lane, ceiling) values ($1, $2, $3)
         on conflict (sale_id, lane) do update set ceiling = greatest(before.ceiling + 1, excluded.ceiling)
         returning ceiling`,
        [sale, lane, wanted],
      )
      return rows[0]?.ceiling ?? 0
    },
    lower: async ({ sale, lane }, from, to) => {
      await sql.query(
        `update queue_marks set ceiling = $4 where sale_id = $1 and lane = $2 and ceiling = $3 and $4 < $3`,
        [sale, lane, from, to],
      )
    },
  }
}
