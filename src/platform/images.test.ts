import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { extensionOf, readImage } from './images.ts'
import { projectPath } from './project.ts'

const webp = new Uint8Array(readFileSync(projectPath('src/operator/demo-pictures/aurora-tv-55.webp')))
const box = (type: string, ...content: Uint8Array[]) => {
  const body = Buffer.concat(content)
  const size = Buffer.alloc(4)
  size.writeUInt32BE(body.length + 8)
  return Buffer.concat([size, Buffer.from(type), body])
}
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
/** 640 × 480, as far as the places where sizes stand. */
const avif = Buffer.concat([
  box('ftyp', Buffer.from('avif'), hex('00000000'), Buffer.from('avifmif1miaf')),
  box('meta', hex('00000000'), box('iprp', box('ipco', box('ispe', hex('00000000 00000280 000001e0'))))),
])
const jpeg = hex(
  'ffd8 ffe0 0010 4a46494600010100000100010000 ffc0 0011 08 01e0 0280 03 012200 021101 031101 ffd9',
)

test('a picture is what its bytes are', () => {
  expect(readImage(webp)).toEqual({ type: 'image/webp', width: 800, height: 600 })
  expect(readImage(avif)).toEqual({ type: 'image/avif', width: 640, height: 480 })
  expect(readImage(jpeg)).toEqual({ type: 'image/jpeg', width: 640, height: 480 })
  expect(extensionOf('image/webp')).toBe('webp')
})

test('SVG, GIF, other formats and nothing at all are none', () => {
  const size = Buffer.from([64, 1, 64, 1, 0, 0, 0])
  for (const bytes of [
    Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400"/>'),
    Buffer.from('<?xml version="1.0"?><svg width="4" height="4"/>'),
    Buffer.concat([Buffer.from('GIF89a'), size]),
    Buffer.from('BM'.padEnd(60, '1')),
    Buffer.from('8BPS'.padEnd(60, '1')),
    Buffer.from('II*\0'.padEnd(60, '1')),
    Buffer.alloc(0),
    Buffer.alloc(3000),
  ])
    expect(readImage(bytes)).toBeUndefined()
})

test('no bytes end it in an error or keep it busy: beginnings of pictures, cut, altered and made up', () => {
  const beginnings = [
    '89504e470d0a1a0a0000000d49484452',
    'ffd8ffe0',
    'ffd8ffe1',
    '52494646ffffffff5745425056503820',
  ]
  const start = fc.constantFrom(...beginnings.map(hex), avif, jpeg, Buffer.from(webp.subarray(0, 64)))
  const started = performance.now()
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 600 }), fc.nat(80), (head, rest, cut) => {
      const found = readImage(
        Buffer.concat([head.subarray(0, Math.max(4, head.length - (cut % head.length))), rest]),
      )
      if (found !== undefined) {
        expect(found.width).toBeGreaterThan(0)
        expect(found.height).toBeGreaterThan(0)
        expect(found.type).toStartWith('image/')
      }
    }),
    { numRuns: 3000 },
  )
  expect(performance.now() - started).toBeLessThan(20_000)
})
