/** What a sale's schema can not say of one field alone. Times in ms since the epoch, durations in seconds. */
export interface SaleTerms {
  readonly opens_at: number
  readonly ends_at: number | null
  readonly lobby_opens_at: number | null
  readonly payment_window_s: number
  readonly hold_s: number
  readonly products: readonly { readonly id: string }[]
}

/** The first thing that does not fit together, if anything: in which field, and why. */
export function contradictionIn(
  sale: SaleTerms,
): { readonly field: string; readonly why: string } | undefined {
  if (sale.ends_at !== null && sale.ends_at <= sale.opens_at)
    return { field: 'ends_at', why: '`ends_at` must be after `opens_at`' }
  if (sale.lobby_opens_at !== null && sale.lobby_opens_at > sale.opens_at)
    return { field: 'lobby_opens_at', why: '`lobby_opens_at` must not be after `opens_at`' }
  if (sale.hold_s < sale.payment_window_s)
    return { field: 'hold_s', why: '`hold_s` must be at least `payment_window_s`' }
  if (new Set(sale.products.map(({ id }) => id)).size < sale.products.length)
    return { field: 'products', why: '`products` names an id twice' }
  return undefined
}
