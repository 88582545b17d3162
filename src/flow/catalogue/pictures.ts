import { extensionOf, IMAGE_TYPES, type ImageFacts, readImage } from '../../platform/images.ts'
import { hashOf } from '../../platform/representation.ts'
import { DRAWING_SIZE, drawingOf } from './drawing.ts'

/** A product's picture, as pages show it. */
export interface Picture {
  /** On any of our hosts; what it leads to never changes. */
  readonly path: string
  readonly width: number
  readonly height: number
  /** For who does not see it; empty where it only decorates. */
  readonly alt: string
}

/** One that an operator gives. */
export interface NewPicture extends ImageFacts {
  readonly hash: string
  readonly body: Uint8Array
  readonly alt: string
}

/** What SQL knows of a product's picture, its body left out; null where nobody has given one. */
export interface StoredPicture {
  readonly alt: string
  readonly hash: string | null
  readonly type: ImageFacts['type'] | null
  readonly width: number | null
  readonly height: number | null
}

export const PICTURE_PATH = '/pictures/'
export const MOST_BYTES = 1024 * 1024
const [LEAST_PIXELS, MOST_PIXELS] = [200, 6000]

/** A picture as it was sent, or why it can not be one. */
export function readPicture(body: Uint8Array, alt: string): NewPicture | { readonly refused: string } {
  const facts = readImage(body)
  if (facts === undefined) return { refused: `Send one of ${IMAGE_TYPES.join(', ')}; these bytes are none.` }
  const { width, height } = facts
  if (Math.min(width, height) < LEAST_PIXELS || Math.max(width, height) > MOST_PIXELS)
    return {
      refused: `It has ${width} × ${height} pixels; each side may have ${LEAST_PIXELS} to ${MOST_PIXELS}.`,
    }
  return { ...facts, body, alt, hash: hashOf(body).slice(0, 22) }
}

export function pictureOf({ name }: { readonly name: string }, stored: StoredPicture): Picture {
  const { hash, type, width, height, alt } = stored
  if (hash === null || type === null || width === null || height === null)
    return { path: `${PICTURE_PATH}${drawingOf(name).hash}.svg`, ...DRAWING_SIZE, alt: '' }
  return { path: `${PICTURE_PATH}${hash}.${extensionOf(type)}`, width, height, alt: alt === '' ? name : alt }
}
