import { extensionOf, type ImageType } from '../../platform/images.ts'
import type { Sql } from '../../platform/postgres.ts'
import { drawingOf } from './drawing.ts'
import { MOST_BYTES } from './pictures.ts'
import { selectPicture } from './pictures-sql.ts'

export interface PictureFile {
  readonly type: string
  readonly body: Uint8Array
}

/** Together, of those that are kept in memory. */
const KEPT_BYTES = 32 * MOST_BYTES

/** What is behind the addresses of pictures. `names`: of all products, whose drawings are made and not kept anywhere. */
export function createPictureFiles(database: Sql, names: () => Promise<readonly string[]>) {
  const kept = new Map<string, PictureFile>()
  let bytes = 0
  const keep = (hash: string, file: PictureFile) => {
    if (!kept.has(hash)) bytes += file.body.length
    kept.set(hash, file)
    for (const [oldest, { body }] of kept) {
      if (bytes <= KEPT_BYTES) break
      kept.delete(oldest)
      bytes -= body.length
    }
    return file
  }
  return async (hash: string, extension: string): Promise<PictureFile | undefined> => {
    if (extension === 'svg') {
      const name = (await names()).find((one) => drawingOf(one).hash === hash)
      if (name === undefined) return undefined
      return { type: 'image/svg+xml', body: new TextEncoder().encode(drawingOf(name).svg) }
    }
    const known = kept.get(hash)
    const file = known ?? (await selectPicture(database, hash))
    if (file === undefined || extensionOf(file.type as ImageType) !== extension) return undefined
    return known ?? keep(hash, file)
  }
}
