import { z } from '@hono/zod-openapi'
import { SaleWithProducts, Slug } from './http.ts'
import { NewProduct, NewSale, Reason } from './operator-http.ts'
import { OversellSettings } from './oversell.ts'
import { PRODUCT_FIELDS, type ProductField, SALE_FIELDS, type SaleField, STAGES } from './sale-editing.ts'

const names = <Name extends string>(of: Readonly<Record<Name, unknown>>) =>
  Object.keys(of) as [Name, ...Name[]]

/** A sale as its operator sees it, with what is for nobody else's eyes, and what of it may still be changed. */
export const OperatorSale = SaleWithProducts.extend({
  order: NewSale.shape.order.unwrap(),
  guard: z.record(z.string(), z.unknown()).describe('As it was given; defaults for the rest'),
  oversell: OversellSettings,
  stage: z.enum(STAGES).describe('How far it is, for who wants to change it'),
  editable: z.array(z.enum(names<SaleField>(SALE_FIELDS))).describe('Fields that may be changed now'),
  editable_products: z
    .array(z.enum(names<ProductField>(PRODUCT_FIELDS)))
    .describe('Fields of its products that may be changed now'),
  accepts_products: z.boolean().describe('Products may be added now'),
}).openapi('OperatorSale')

const product = NewProduct.shape
const ProductEdit = z
  .strictObject({
    id: Slug.describe(
      'Of a product of the sale; any other is added, and then needs name, price, currency and units',
    ),
    name: product.name.optional(),
    // A default would change what is left out.
    description: product.description.unwrap().optional(),
    amount: product.amount.optional(),
    currency: product.currency.optional(),
    units: product.units.optional(),
    per_buyer_limit: product.per_buyer_limit.unwrap().optional(),
  })
  .openapi('ProductEdit')

const sale = NewSale.shape
export const SaleEditRequest = z
  .strictObject({
    name: sale.name.optional(),
    opens_at: sale.opens_at.describe('In the future'),
    ends_at: sale.ends_at.unwrap().optional(),
    lobby_opens_at: sale.lobby_opens_at.unwrap().optional(),
    post_sale_at: sale.post_sale_at.unwrap().optional(),
    rate_per_second: sale.rate_per_second.optional(),
    payment_window_s: sale.payment_window_s.unwrap().optional(),
    hold_s: sale.hold_s.unwrap().optional(),
    pass_s: sale.pass_s.unwrap().optional(),
    turn_s: sale.turn_s.unwrap().optional(),
    order: sale.order.unwrap().optional(),
    checkout_cap: sale.checkout_cap.unwrap().optional(),
    checkouts_per_unit: sale.checkouts_per_unit.unwrap().optional(),
    standby_threshold: sale.standby_threshold.unwrap().optional(),
    guard: sale.guard.unwrap().optional(),
    oversell: OversellSettings.optional(),
    message: sale.message.unwrap().optional(),
    products: z
      .array(ProductEdit)
      .max(100)
      .optional()
      .describe('Products that change or are added; others stay'),
    reason: Reason,
  })
  .openapi('SaleEditRequest')
export type SaleEdit = Omit<z.infer<typeof SaleEditRequest>, 'reason'>
