import type { Sql } from '../../platform/postgres.ts'
import type { NewPicture } from './pictures.ts'

/** False where there is no such product. */
export async function updatePicture(sql: Sql, item: string, picture: NewPicture | null): Promise<boolean> {
  if (picture !== null) {
    const { hash, type, width, height, body } = picture
    await sql.query(
      `insert into pictures (hash, type, width, height, body) values ($1, $2, $3, $4, $5) on conflict do nothing`,
      [hash, type, width, height, body],
    )
  }
  const done = await sql.query('update products set picture = $2, picture_alt = $3 where id = $1', [
    ...[item, picture?.hash ?? null, picture?.alt ?? ''],
  ])
  return done.rowCount === 1
}

/** Each first one gets the picture of the second. */
export async function copyPictures(
  sql: Sql,
  products: readonly (readonly [to: string, from: string])[],
): Promise<void> {
  await sql.query(
    `update products set picture = original.picture, picture_alt = original.picture_alt
     from unnest($1::text[], $2::text[]) as pair (copy, original_id) join products original on original.id = original_id
     where products.id = pair.copy`,
    [products.map(([to]) => to), products.map(([, from]) => from)],
  )
}

/** What a picture holds. */
export async function selectPicture(
  sql: Sql,
  hash: string,
): Promise<Pick<NewPicture, 'type' | 'body'> | undefined> {
  const found = await sql.query<Pick<NewPicture, 'type' | 'body'>>(
    'select type, body from pictures where hash = $1',
    [hash],
  )
  return found.rows[0]
}
