/**
 * How long what is the same for everybody may be kept, by whom. Shared caches (an edge, docs/edge.md) keep an answer for a
 * second, give it for one more while they ask anew, and while nobody answers for as long as `stale-if-error` says. Browsers
 * ask every time. Everything else is `no-store`, or says nothing and is not kept either.
 */
const shared = (errorS: number) =>
  `public, max-age=0, s-maxage=1, stale-while-revalidate=1, stale-if-error=${errorS}`

/** Stock, places, prices, and pages that show them: old news would be false news. */
export const NEWS = shared(5)
/** A page that its script fills knows nothing by itself; without it nobody sees that the shop is away. */
export const PAGE = shared(60)
/** Its name changes with its content. */
export const ASSET = 'public, max-age=31536000, immutable'
