import { createHash } from 'node:crypto'

/** A drawing as it is served; `hash` is of what it holds. */
export interface Drawing {
  readonly hash: string
  readonly svg: string
}

export const DRAWING_SIZE = { width: 800, height: 600 } as const
const { width, height } = DRAWING_SIZE

/**
 * What stands in for a picture nobody has given: hills under a sun, whose colours and shapes follow from the name alone. It
 * is the same everywhere and for ever, and nothing of the name is in it.
 */
export function drawingOf(name: string): Drawing {
  const known = drawings.get(name)
  if (known !== undefined) return known
  const svg = draw(createHash('sha256').update(name).digest())
  const drawing = { hash: createHash('sha256').update(svg).digest('base64url').slice(0, 22), svg }
  if (drawings.size >= MOST) drawings.clear()
  drawings.set(name, drawing)
  return drawing
}

const MOST = 10_000
const drawings = new Map<string, Drawing>()
const HILLS = 4

function draw(seed: Uint8Array): string {
  /** Between `low` and `high`, by one byte of the seed. */
  const pick = (byte: number, low: number, high: number) =>
    Math.round(low + ((seed[byte] ?? 0) / 255) * (high - low))
  const hue = pick(0, 0, 359)
  const second = (hue + pick(1, 25, 70)) % 360
  const hill = (index: number) => {
    const top = 0.42 + (0.5 * index) / HILLS
    const y = (byte: number) => Math.round(height * top + pick(byte, -45, 45))
    const at = 4 + index * 5
    const bend = pick(at + 4, 180, 320)
    const points = `M0 ${y(at)}C${bend} ${y(at + 1) - 60} ${bend + 100} ${y(at + 2) + 40} ${width} ${y(at + 3)}V${height}H0Z`
    const light = 68 - index * 13
    return `<path d="${points}" fill="hsl(${(second + index * 6) % 360} 45% ${light}%)"/>`
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<linearGradient id="s" x2="0" y2="1"><stop stop-color="hsl(${hue} 62% 84%)"/><stop offset="1" stop-color="hsl(${second} 72% 92%)"/></linearGradient>`,
    `<path d="M0 0H${width}V${height}H0Z" fill="url(#s)"/>`,
    `<circle cx="${pick(2, 160, 640)}" cy="${pick(3, 130, 230)}" r="${pick(29, 55, 95)}" fill="hsl(${hue} 85% 97%)"/>`,
    ...Array.from({ length: HILLS }, (_, index) => hill(index)),
    '</svg>',
  ].join('')
}
