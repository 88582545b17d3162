import { z } from 'zod'
import { LANGUAGES } from '../../contracts/words/say.ts'
import { COLOUR } from './colours.ts'

/** The fonts that need no file: most machines have one of each row. */
export const FONTS = {
  system: "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif",
  humanist: "Seravek, 'Gill Sans Nova', Ubuntu, Calibri, 'DejaVu Sans', sans-serif",
  geometric: "Avenir, Montserrat, Corbel, 'URW Gothic', 'DejaVu Sans', sans-serif",
  classic: "Georgia, Cambria, 'Times New Roman', 'DejaVu Serif', serif",
} as const
type Font = keyof typeof FONTS
const FONT_NAMES = Object.keys(FONTS) as Font[]

/** An object whose every key is one of `keys`, each of the same shape and none of them needed. */
function some<Key extends string, Shape extends z.ZodType>(keys: readonly Key[], shape: Shape) {
  const fields = Object.fromEntries(keys.map((key) => [key, shape.optional()]))
  return z.strictObject(fields as Record<Key, z.ZodOptional<Shape>>)
}

const Colours = some(
  [
    ...(['page', 'card', 'line', 'text', 'quiet', 'accent', 'on-accent'] as const),
    ...(['good', 'good-back', 'bad', 'bad-back', 'note-back'] as const),
  ],
  z.string().regex(COLOUR, 'a colour is written #rgb or #rrggbb'),
)
const Text = z.string().trim().min(1).max(2000)
/** It lies beside the theme file. */
const FileName = z.string().regex(/^[\w-]+(\.[\w-]+)*$/, 'the name of a file beside the theme file, no path')

/** What a theme file may say; docs/theming.md explains it. All but the name may be left out. */
export const ThemeFile = z.strictObject({
  name: z.string().trim().min(1).max(60),
  logo: FileName.optional(),
  wordmark: z.strictObject({ light: FileName, dark: FileName }).optional(),
  colours: some(['light', 'dark'], Colours).optional(),
  font: z
    .union([z.enum(FONT_NAMES), z.strictObject({ file: FileName })], {
      error: `one of ${FONT_NAMES.join(', ')}, or {"file": "my-font.woff2"}`,
    })
    .optional(),
  footer: z
    .union([Text, some(LANGUAGES, Text)], { error: 'one text, or one for some of the languages' })
    .optional(),
  texts: some(
    LANGUAGES,
    z.record(
      z.string(),
      z.union([Text, z.record(z.string(), Text)], { error: 'a text, or one for each plural' }),
    ),
  ).optional(),
})
export type ThemeFile = z.infer<typeof ThemeFile>
