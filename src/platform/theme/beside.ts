import { readFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'

/** A file that pages need. */
export interface ThemeAsset {
  /** "logo.svg". */
  readonly file: string
  readonly type: string
  readonly body: Uint8Array
}

interface Kind {
  readonly extensions: readonly string[]
  /** Ten million people load it in the same minute. */
  readonly maxBytes: number
}
export const PICTURE: Kind = { extensions: ['.svg', '.png'], maxBytes: 50_000 }
export const FONT: Kind = { extensions: ['.woff2'], maxBytes: 150_000 }

const TYPES: Readonly<Record<string, { readonly type: string; readonly is: (body: Buffer) => boolean }>> = {
  '.svg': { type: 'image/svg+xml', is: (body) => /<svg[\s>]/.test(body.toString('utf8')) },
  '.png': { type: 'image/png', is: (body) => body.toString('latin1', 0, 8) === '\x89PNG\r\n\x1a\n' },
  '.woff2': { type: 'font/woff2', is: (body) => body.toString('latin1', 0, 4) === 'wOF2' },
}

/** Reads a file that lies beside the theme file. Throws an Error that says what is wrong with it. */
export function readBeside(themeFile: string, file: string, { extensions, maxBytes }: Kind): ThemeAsset {
  const extension = extname(file)
  const known = extensions.includes(extension) ? TYPES[extension] : undefined
  if (known === undefined) throw new Error(`${file} must end in ${extensions.join(' or ')}`)
  const path = join(dirname(themeFile), file)
  let body: Buffer
  try {
    body = readFileSync(path)
  } catch (cause) {
    throw new Error(`${path} can not be read`, { cause })
  }
  if (body.length > maxBytes) throw new Error(`${file} has ${body.length} bytes, more than ${maxBytes}`)
  if (!known.is(body)) throw new Error(`${file} is not what its name says`)
  return { file, type: known.type, body }
}
