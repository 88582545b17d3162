import type { SaleId } from '../contracts/ids.ts'
import { stageOf } from '../contracts/sale-editing.ts'
import type { SaleEdit } from '../contracts/sale-editing-http.ts'
import type { NewProduct } from '../flow/catalogue/catalogue.ts'
import type { Authority, CommandParts } from './commands.ts'
import { decideEdit, type EditRefused } from './editing.ts'

export type EditParts = Pick<CommandParts, 'catalogue' | 'inventory' | 'waitingRoom' | 'reconcile' | 'clock'>

export type EditSaleOutcome =
  | { readonly kind: 'edited' | 'unknown_sale' }
  /** Another sale has a product of this id. */
  | { readonly kind: 'exists'; readonly id: string }
  | ({ readonly kind: 'refused' } & EditRefused)

export type EditSale = (by: Authority, sale: SaleId, edit: SaleEdit) => Promise<EditSaleOutcome>

/**
 * Edits a sale: SQL in one transaction with its line in the audit log, then waiting room and stock are brought in line with SQL.
 * Where that fails, giving the same command again does it: it then changes nothing else.
 */
export function createEditSale(parts: EditParts): EditSale {
  const { catalogue, inventory, waitingRoom, reconcile, clock } = parts

  const align = async (id: SaleId, added: readonly NewProduct[]): Promise<void> => {
    const sale = await catalogue.sale(id)
    if (sale === undefined) return
    const { opens_at, ends_at, rate_per_second, state } = sale
    // Only what is new: of any other that is missing reconciliation knows what was sold.
    for (const { id: item_id, sale_id, units, stock_parts: parts } of added)
      await inventory.load({ item_id, sale_id, total: units, parts, state, opens_at, ends_at })
    await waitingRoom.steer(id, { opens_at, ends_at, rate: rate_per_second })
    const products = await catalogue.products(id)
    for (const product of products) await inventory.setState(product.id, { opens_at, ends_at })
    if (stageOf(sale, clock.now()) !== 'planned') return
    const secret = await catalogue.drawSecret(id)
    await waitingRoom.amend(id, { secret, threshold: sale.standby_threshold })
    for (const { id: item, units } of products)
      if ((await inventory.stock(item))?.total !== units) await reconcile.item(item)
  }

  return async (by, id, edit) => {
    let added: readonly NewProduct[] = []
    const outcome = await catalogue.edit(id, (current) => {
      const decision = decideEdit(current, edit, by, clock.now())
      if ('edits' in decision) added = decision.edits.added
      return decision
    })
    if (outcome.kind === 'refused') return { kind: 'refused', ...outcome.refused }
    if (outcome.kind === 'edited') await align(id, added)
    return outcome
  }
}
