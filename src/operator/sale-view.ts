import type { z } from '@hono/zod-openapi'
import type { SaleId } from '../contracts/ids.ts'
import { OversellSettings } from '../contracts/oversell.ts'
import {
  editableFields,
  editableProductFields,
  NEW_PRODUCTS,
  stageOf,
  tooLate,
} from '../contracts/sale-editing.ts'
import type { OperatorSale } from '../contracts/sale-editing-http.ts'
import type { Catalogue } from '../flow/catalogue/catalogue.ts'
import type { Clock } from '../platform/clock.ts'
import { Problem } from '../platform/errors.ts'

export interface SaleViewParts {
  readonly catalogue: Catalogue
  readonly queueUrl: string
  readonly clock: Clock
}

/** A sale as operators see it. Throws `unknown_sale`. */
export function createSaleView({ catalogue, queueUrl, clock }: SaleViewParts) {
  return async (id: SaleId): Promise<z.infer<typeof OperatorSale>> => {
    const sale = await catalogue.sale(id)
    if (sale === undefined) throw new Problem('unknown_sale')
    const stage = stageOf(sale, clock.now())
    return {
      ...sale,
      products: await catalogue.products(id),
      queue_url: `${queueUrl}/${id}`,
      order: sale.draw_commitment === null ? 'fifo' : 'draw',
      guard: (await catalogue.guard(id)) ?? {},
      oversell: (await catalogue.oversell(id)) ?? OversellSettings.parse({}),
      stage,
      editable: editableFields(stage),
      editable_products: editableProductFields(stage),
      accepts_products: tooLate(NEW_PRODUCTS, stage) === undefined,
    }
  }
}
