import type { SaleId } from '../../contracts/ids.ts'
import type { Sql } from '../../platform/postgres.ts'

/** How far a line was. Positions are never taken back, so each number only ever grows. */
export interface NewMark {
  readonly sale: SaleId
  readonly lane: string
  readonly tail: number
  readonly serving: number
  /** Of the lobby, from the opening on. */
  readonly lobby: { readonly size: number; readonly tickets_hash: string } | undefined
}

export interface Mark extends NewMark {
  /** As measured between the last two marks. */
  readonly joins_per_second: number
  readonly age_s: number
}

/** Where the marks are kept. */
export interface MarkStore {
  read(sale: SaleId, lane: string): Promise<Mark | undefined>
  write(mark: NewMark): Promise<void>
}

interface MarkRow {
  tail: number
  serving: number
  lobby_size: number | null
  tickets_hash: string | null
  joins_per_second: number
  age_s: number
}

export function sqlMarkStore(sql: Sql): MarkStore {
  return {
    read: async (sale, lane) => {
      const { rows } = await sql.query<MarkRow>(
        `select tail, serving, lobby_size, tickets_hash, joins_per_second,
                extract(epoch from now() - marked_at)::float8 as age_s
         from queue_marks where sale_id = $1 and lane = $2`,
        [sale, lane],
      )
      const [row] = rows
      if (row === undefined) return undefined
      const { lobby_size: size, tickets_hash, ...numbers } = row
      const lobby = size === null || tickets_hash === null ? undefined : { size, tickets_hash }
      return { sale, lane, ...numbers, lobby }
    },
    write: async ({ sale, lane, tail, serving, lobby }) => {
      await sql.query(
        `insert into queue_marks as before (sale_id, lane, tail, serving, lobby_size, tickets_hash)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (sale_id, lane) do update set
           tail = greatest(before.tail, excluded.tail),
           serving = greatest(before.serving, excluded.serving),
           lobby_size = coalesce(before.lobby_size, excluded.lobby_size),
           tickets_hash = coalesce(before.tickets_hash, excluded.tickets_hash),
           joins_per_second = greatest(0, excluded.tail - before.tail)
             / greatest(0.1, extract(epoch from now() - before.marked_at)),
           marked_at = now()`,
        [sale, lane, tail, serving, lobby?.size ?? null, lobby?.tickets_hash ?? null],
      )
    },
  }
}
