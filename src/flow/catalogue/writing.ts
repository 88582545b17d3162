import type { SaleId } from '../../contracts/ids.ts'
import type { Database, Sql } from '../../platform/postgres.ts'
import type { CreateOutcome, NewProduct, Sale, SaleSecrets } from './types.ts'
import {
  insertProduct,
  insertSale,
  lockProducts,
  lockSale,
  updateProductFields,
  updateSaleFields,
} from './sql.ts'

/** A sale with everything that an operator may set of it. */
export interface WholeSale {
  readonly sale: Sale
  readonly products: readonly NewProduct[]
  readonly guard: Record<string, unknown>
  readonly oversell: Record<string, unknown>
}

/** What is written; nothing else of the sale changes. */
export interface SaleEdits {
  readonly sale: Partial<Omit<Sale, 'id' | 'state' | 'rehearsal'>> &
    Partial<Pick<SaleSecrets, 'draw_secret' | 'guard' | 'oversell'>>
  readonly products: readonly (Partial<Omit<NewProduct, 'sale_id'>> & Pick<NewProduct, 'id'>)[]
  readonly added: readonly NewProduct[]
  /** In the same transaction, first of all. */
  readonly note: (sql: Sql) => Promise<void>
}

export type EditOutcome<Refused> =
  | { readonly kind: 'edited' }
  | { readonly kind: 'unknown_sale' }
  | { readonly kind: 'exists'; readonly id: string }
  | { readonly kind: 'refused'; readonly refused: Refused }

/** Undoes the transaction. */
class Exists extends Error {
  readonly what: 'sale' | 'product'
  readonly id: string
  constructor(what: 'sale' | 'product', id: string) {
    super(`${what} ${id} exists`)
    this.what = what
    this.id = id
  }
}

/** Writes a sale and its products, all or nothing. */
export async function createSale(
  database: Database,
  sale: Sale,
  products: readonly NewProduct[],
  secrets: SaleSecrets,
): Promise<CreateOutcome> {
  try {
    await database.transaction(async (sql) => {
      if (!(await insertSale(sql, sale, secrets))) throw new Exists('sale', sale.id)
      for (const product of products)
        if (!(await insertProduct(sql, product))) throw new Exists('product', product.id)
    })
    return { kind: 'created' }
  } catch (error) {
    if (error instanceof Exists) return { kind: 'exists', what: error.what, id: error.id }
    throw error
  }
}

/**
 * Reads the sale as it is right now, has somebody decide, and writes what was decided, all of it or nothing: whoever opens,
 * ends or edits it meanwhile waits.
 */
export async function editSale<Refused>(
  database: Database,
  id: SaleId,
  decide: (current: WholeSale) => { readonly edits: SaleEdits } | { readonly refused: Refused },
): Promise<EditOutcome<Refused>> {
  try {
    return await database.transaction(async (sql): Promise<EditOutcome<Refused>> => {
      const found = await lockSale(sql, id)
      if (found === undefined) return { kind: 'unknown_sale' }
      const decided = decide({ ...found, products: await lockProducts(sql, id) })
      if ('refused' in decided) return { kind: 'refused', refused: decided.refused }
      const { sale, products, added, note } = decided.edits
      await note(sql)
      await updateSaleFields(sql, id, sale)
      for (const { id: item, ...change } of products) await updateProductFields(sql, item, change)
      for (const product of added)
        if (!(await insertProduct(sql, product))) throw new Exists('product', product.id)
      return { kind: 'edited' }
    })
  } catch (error) {
    if (error instanceof Exists) return { kind: 'exists', id: error.id }
    throw error
  }
}
