/** The colours of the pages by the names of their CSS variables, in light and in dark. */
export type Palette = Readonly<Record<string, string | undefined>>
export interface Scheme {
  readonly light: Palette
  readonly dark: Palette
}

/** "#abc" or "#aabbcc". */
export const COLOUR = /^#(?:[\da-f]{3}|[\da-f]{6})$/i

/** Text on ground: whatever pages write on. */
const WRITTEN: readonly (readonly [text: string, ground: string])[] = [
  ...['text', 'quiet', 'accent', 'good', 'bad'].flatMap((text) => [
    [text, 'page'] as const,
    [text, 'card'] as const,
  ]),
  ['on-accent', 'accent'],
  ['text', 'note-back'],
  ['text', 'line'],
  ['good', 'good-back'],
  ['bad', 'bad-back'],
]
/** WCAG 2.2, 1.4.3, level AA. */
const ENOUGH = 4.5

/** The scheme that a style sheet sets up: each of its `--name: light-dark(#aaa, #bbb)`. */
export function readScheme(css: string): Scheme {
  const found = [...css.matchAll(/--([\w-]+): light-dark\((#\w+), (#\w+)\)/g)]
  const palette = (side: 2 | 3) =>
    Object.fromEntries(found.map((match) => [match[1] ?? '', match[side] ?? '']))
  return { light: palette(2), dark: palette(3) }
}

/** Pairs that can not be read, in words; for the operator who chose the colours. */
export function unreadable(scheme: Scheme): string[] {
  return (['light', 'dark'] as const).flatMap((side) =>
    WRITTEN.flatMap(([text, ground]) => {
      const [above, below] = [scheme[side][text] ?? '', scheme[side][ground] ?? '']
      const found = contrast(above, below)
      if (found >= ENOUGH) return []
      // Rounded down: 4.49 is not 4.5.
      const shown = (Math.floor(found * 100) / 100).toFixed(2)
      return [
        `colours.${side}: ${text} (${above}) on ${ground} (${below}) has a contrast of ${shown}, and needs ${ENOUGH} to be read`,
      ]
    }),
  )
}

/** WCAG's ratio of two colours, 1 to 21. */
export function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

function luminance(colour: string): number {
  const digits = colour.length === 4 ? colour.replaceAll(/[\da-f]/gi, '$&$&') : colour
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(digits.slice(at, at + 2), 16) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
