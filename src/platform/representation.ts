import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import {
  brotliCompress,
  brotliCompressSync,
  type BrotliOptions,
  constants,
  gzip,
  gzipSync,
  type ZlibOptions,
} from 'node:zlib'

/** One file as it goes over the wire. */
export interface Representation {
  readonly type: string
  /** Weak, because all encodings share it. */
  readonly etag: string
  readonly bodies: { readonly identity: Uint8Array; readonly gzip: Uint8Array; readonly br: Uint8Array }
}

/**
 * For what is made once and sent for as long as the process lives: compressed as well as it goes, one after the other on
 * another thread; whoever comes before that is done gets it compressed briefly. Waiting for it took a third of each start.
 */
export function represent(type: string, body: Uint8Array): Representation {
  const { bodies: brief, ...described } = representBriefly(type, body)
  let well: { readonly gzip: Uint8Array; readonly br: Uint8Array } | undefined
  compressing = compressing.then(async () => {
    well = {
      gzip: await gzipAside(body, { level: 9 }),
      br: await brotliAside(body, brotliOptions(body, body.length > LARGE ? GOOD : BEST)),
    }
  })
  return {
    ...described,
    bodies: {
      identity: body,
      get gzip() {
        return (well ?? brief).gzip
      },
      get br() {
        return (well ?? brief).br
      },
    },
  }
}

const [gzipAside, brotliAside] = [
  promisify<Uint8Array, ZlibOptions, Uint8Array>(gzip),
  promisify<Uint8Array, BrotliOptions, Uint8Array>(brotliCompress),
]
let compressing = Promise.resolve()

/** Resolves when what was represented until now is compressed as well as it goes. */
export const compressed = (): Promise<void> => compressing

/**
 * For what is made anew every second: compressed once, when the first one asks for that encoding, at a level that costs
 * little. Measured with the 16 KB of a product page: level 5 makes 4787 bytes of it in 1.8 ms, level 11 4239 in 52 ms.
 */
export function representBriefly(type: string, body: Uint8Array): Representation {
  let zipped: Uint8Array | undefined
  let br: Uint8Array | undefined
  return {
    ...described(type, body),
    bodies: {
      identity: body,
      get gzip() {
        return (zipped ??= gzipSync(body, { level: 6 }))
      },
      get br() {
        return (br ??= brotliCompressSync(body, brotliOptions(body, BRIEF)))
      },
    },
  }
}

export function hashOf(body: Uint8Array | string): string {
  return createHash('sha256').update(body).digest('base64url')
}

const [BEST, GOOD, BRIEF] = [11, 9, 5]
/** From here on the last few per cent take seconds at each start; only the console has such files. */
const LARGE = 100_000

const brotliOptions = (body: Uint8Array, quality: number): BrotliOptions => ({
  params: {
    [constants.BROTLI_PARAM_QUALITY]: quality,
    [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
  },
})

function described(type: string, body: Uint8Array) {
  return { type: type.replace(/;charset=/, '; charset='), etag: `W/"${hashOf(body).slice(0, 22)}"` }
}
