import { isDeepStrictEqual } from 'node:util'
import { OversellSettings } from '../contracts/oversell.ts'
import {
  NEW_PRODUCTS,
  PRODUCT_FIELDS,
  type ProductField,
  SALE_FIELDS,
  type SaleField,
  stageOf,
  tooLate,
} from '../contracts/sale-editing.ts'
import type { SaleEdit } from '../contracts/sale-editing-http.ts'
import { contradictionIn } from '../contracts/sale-rules.ts'
import type { NewProduct, SaleEdits, WholeSale } from '../flow/catalogue/catalogue.ts'
import { GuardSettings } from '../guard/guard.ts'
import type { Authority } from './commands.ts'
import { misfit, newDraw } from './sale-parts.ts'
import { insertAudit } from './sql.ts'

/** `bad_request`: it does not fit together; `not_editable`: it is too late for it. `why` names the field. */
export interface EditRefused {
  readonly problem: 'bad_request' | 'not_editable'
  readonly why: string
}

export type Decision = { readonly edits: SaleEdits } | { readonly refused: EditRefused }

/** The fields of a sale as they are given and compared, whatever form they are kept in. */
type Fields = Record<SaleField, unknown>

const fieldsOf = ({ sale, guard, oversell }: WholeSale): Fields => ({
  ...sale,
  order: sale.draw_commitment === null ? 'fifo' : 'draw',
  guard: GuardSettings.parse(guard),
  oversell: OversellSettings.parse(oversell),
})

/** What is asked for and is not so already. */
function changesIn<Field extends string>(
  fields: Readonly<Record<Field, unknown>>,
  before: Readonly<Record<NoInfer<Field>, unknown>>,
  given: Readonly<Partial<Record<NoInfer<Field>, unknown>>>,
): Field[] {
  return (Object.keys(fields) as Field[]).filter(
    (field) => given[field] !== undefined && !isDeepStrictEqual(before[field], given[field]),
  )
}

const pick = <Of extends object>(from: Of, fields: readonly string[]) =>
  Object.fromEntries(Object.entries(from).filter(([field]) => fields.includes(field)))

/** What becomes of a wish to edit the sale as it is at `now`. Decides everything, and does nothing. */
export function decideEdit(current: WholeSale, edit: SaleEdit, by: Authority, now: number): Decision {
  const { sale, products } = current
  const refuse = (problem: EditRefused['problem'], why: string): Decision => ({ refused: { problem, why } })
  const { products: wanted = [], ...given } = edit
  const unfit = given.guard === undefined ? undefined : misfit(given.guard)
  if (unfit !== undefined) return refuse('bad_request', unfit)

  const stage = stageOf(sale, now)
  const before = fieldsOf(current)
  const asked: Partial<Fields> = {
    ...given,
    ...(given.guard === undefined ? {} : { guard: GuardSettings.parse(given.guard) }),
  }
  const changed = changesIn(SALE_FIELDS, before, asked)
  for (const field of changed) {
    const why = tooLate(SALE_FIELDS[field], stage)
    if (why !== undefined) return refuse('not_editable', `\`${field}\`: ${why}`)
  }

  const known = new Map(products.map((product) => [product.id, product]))
  const edited: {
    readonly product: NewProduct
    readonly change: SaleEdits['products'][number]
    readonly fields: ProductField[]
  }[] = []
  const added: NewProduct[] = []
  for (const { id, ...fields } of wanted) {
    const product = known.get(id)
    if (product === undefined) {
      const why = tooLate(NEW_PRODUCTS, stage)
      if (why !== undefined)
        return refuse('not_editable', `\`products.${id}\`: a product can not be added, ${why}`)
      const { name, amount, currency, units, description = '', per_buyer_limit = 1 } = fields
      if (name === undefined || amount === undefined || currency === undefined || units === undefined)
        return refuse(
          'bad_request',
          `\`products.${id}\`: it is new, and needs name, amount, currency and units`,
        )
      added.push({ id, sale_id: sale.id, name, description, amount, currency, units, per_buyer_limit })
      continue
    }
    const names = changesIn(PRODUCT_FIELDS, product, fields)
    for (const name of names) {
      const why = tooLate(PRODUCT_FIELDS[name], stage)
      if (why !== undefined) return refuse('not_editable', `\`products.${id}.${name}\`: ${why}`)
    }
    if (names.length > 0) edited.push({ product, change: { id, ...pick(fields, names) }, fields: names })
  }

  const after = { ...sale, ...pick(given, changed) }
  const wrong = contradictionIn({ ...after, products: wanted })?.why ?? outOfTime(after, changed, now)
  if (wrong !== undefined) return refuse('bad_request', wrong)

  const { order, ...columns } = pick(given, changed) as Partial<Record<SaleField, never>>
  const draw = order === undefined ? {} : newDraw(order)
  return {
    edits: {
      sale: { ...columns, ...draw },
      products: edited.map(({ change }) => change),
      added,
      note: (sql) =>
        insertAudit(sql, {
          ...by,
          ...{ command: 'sale.edit', target: sale.id },
          detail: {
            before: pick(before, changed),
            after: pick({ ...before, ...asked }, changed),
            products: edited.map(({ product, change, fields }) => ({
              ...{ id: product.id, before: pick(product, fields), after: pick(change, fields) },
            })),
            added,
          },
        }),
    },
  }
}

/** Opening and ending have commands of their own: a moment that has passed is a slip. */
function outOfTime(
  { opens_at, ends_at }: { opens_at: number; ends_at: number | null },
  changed: readonly SaleField[],
  now: number,
): string | undefined {
  if (changed.includes('opens_at') && opens_at <= now)
    return '`opens_at` must lie in the future; to open the sale now there is a command of its own'
  if (changed.includes('ends_at') && ends_at !== null && ends_at <= now)
    return '`ends_at` must lie in the future; to end the sale now there is a command of its own'
  return undefined
}
