import { disableTypes, imageSize, types } from 'image-size'

/** What pictures may be: formats that browsers show and that hold no scripts. By the library's names for them. */
const FORMATS = {
  png: 'image/png',
  jpg: 'image/jpeg',
  webp: 'image/webp',
  avif: 'image/avif',
} as const

export type ImageType = (typeof FORMATS)[keyof typeof FORMATS]

export interface ImageFacts {
  readonly type: ImageType
  /** In pixels. */
  readonly width: number
  readonly height: number
}

export const IMAGE_TYPES: readonly ImageType[] = Object.values(FORMATS)

// Nothing else is even looked at. AVIF is a kind of HEIF.
disableTypes(types.filter((type) => !['png', 'jpg', 'webp', 'heif'].includes(type)))

/** What a picture is by its own bytes, whatever its name or sender say; undefined for anything but IMAGE_TYPES. */
export function readImage(body: Uint8Array): ImageFacts | undefined {
  try {
    const { width, height, type, orientation = 1 } = imageSize(body)
    const found = FORMATS[type as keyof typeof FORMATS]
    if (found === undefined || !(width > 0) || !(height > 0)) return undefined
    // A camera that was held upright writes so; browsers turn the picture.
    return orientation >= 5 ? { type: found, width: height, height: width } : { type: found, width, height }
  } catch {
    return undefined
  }
}

/** "png" of "image/png". */
export const extensionOf = (type: ImageType): string => type.slice('image/'.length)
