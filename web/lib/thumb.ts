import type { Product } from '../../src/contracts/shapes.ts'
import { element } from './dom.ts'

/** A small picture of a product beside its name, or the first letter of the name where the product is no more. */
export function thumb(product: Product | undefined, name: string): HTMLElement {
  if (product === undefined)
    return element('span', { class: 'thumb', 'aria-hidden': 'true' }, name.slice(0, 1).toUpperCase())
  const { path, width, height } = product.picture
  return element('img', {
    ...{ class: 'thumb', src: path, alt: '', width: String(width), height: String(height) },
    decoding: 'async',
  })
}
