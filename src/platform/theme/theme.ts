import { readFileSync } from 'node:fs'
import { LANGUAGES, type Message } from '../../contracts/words/say.ts'
import { SettingError } from '../errors.ts'
import { projectPath } from '../project.ts'
import { mistakeIn } from '../words-check.ts'
import { createSpeakers, readWords, type Speakers, type Words } from '../words.ts'
import { FONT, PICTURE, readBeside, type ThemeAsset } from './beside.ts'
import { readScheme, type Scheme, unreadable } from './colours.ts'
import { FONTS, ThemeFile } from './file.ts'

/** How the pages of a shop look and what they say: all that a theme file can change. */
export interface Theme {
  /** Of the shop. */
  readonly name: string
  /** The sign beside the name, and in the browser's tab; ours where there is none. */
  readonly logo?: ThemeAsset
  /** Pictures that hold the name, in place of sign and name. */
  readonly wordmark?: { readonly light: ThemeAsset; readonly dark: ThemeAsset }
  readonly font?: ThemeAsset
  /** Rules that come after those of the pages. `fontUrl`: where `font` is served, if it is. */
  readonly css: (fontUrl?: string) => string
  readonly words: Words
  readonly speakers: Speakers
}

/** The guard makes questions of these, and knows the answers. */
const NOT_FOR_THEMES = 'questions'

/** Reads a theme file and what lies beside it; our own look without one. Throws SettingError naming file, field and mistake. */
export function readTheme(path?: string): Theme {
  if (path === undefined) return { name: 'Doorbuster', css: () => '', ...speaking(readWords()) }
  const wrong = (field: string, what: string) =>
    new SettingError(`THEME_FILE ${path}: ${field === '' ? '' : `${field}: `}${what}`)
  const file = parse(path, wrong)
  const beside = (field: string, name: string, kind: typeof PICTURE) => {
    try {
      return readBeside(path, name, kind)
    } catch (error) {
      throw wrong(field, (error as Error).message)
    }
  }
  const { name, logo, wordmark, font, colours } = file
  const ours = readScheme(readFileSync(projectPath('web/styles/base.css'), 'utf8'))
  const scheme = {
    light: { ...ours.light, ...colours?.light },
    dark: { ...ours.dark, ...colours?.dark },
  }
  const [hidden] = unreadable(scheme)
  if (hidden !== undefined) throw wrong('colours', hidden)
  return {
    name,
    ...(logo === undefined ? {} : { logo: beside('logo', logo, PICTURE) }),
    ...(wordmark === undefined
      ? {}
      : {
          wordmark: {
            light: beside('wordmark.light', wordmark.light, PICTURE),
            dark: beside('wordmark.dark', wordmark.dark, PICTURE),
          },
        }),
    ...(typeof font === 'object' ? { font: beside('font.file', font.file, FONT) } : {}),
    css: (fontUrl) => cssOf(colours === undefined ? undefined : scheme, font, fontUrl),
    ...speaking(overridden(file, wrong)),
  }
}

const speaking = (words: Words) => ({ words, speakers: createSpeakers(words) })

type Wrong = (field: string, what: string) => SettingError

function parse(path: string, wrong: Wrong): ThemeFile {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw wrong('', error instanceof SyntaxError ? `not JSON: ${error.message}` : 'it can not be read')
  }
  const { success, data, error } = ThemeFile.safeParse(json)
  if (success) return data
  const issue = error.issues[0]
  throw wrong(issue?.path.join('.') ?? '', issue?.message ?? '')
}

/** Our words with those of the theme in their place. */
function overridden({ texts, footer }: ThemeFile, wrong: Wrong): Words {
  const words = readWords()
  const result = LANGUAGES.map((language) => {
    const topics = { ...words[language] }
    const put = (key: string, message: Message, field: string) => {
      const [topic = '', ...rest] = key.split('.')
      const name = rest.join('.')
      const english = topic === NOT_FOR_THEMES ? undefined : words.en[topic]?.[name]
      if (english === undefined) throw wrong(field, 'there is no such text; words/en has all there are')
      const mistake = mistakeIn(language, message, english)
      if (mistake !== undefined) throw wrong(field, mistake)
      topics[topic] = { ...topics[topic], [name]: message }
    }
    const foot = typeof footer === 'object' ? footer[language] : footer
    if (foot !== undefined)
      put('common.footer', foot, typeof footer === 'object' ? `footer.${language}` : 'footer')
    for (const [key, message] of Object.entries(texts?.[language] ?? {}))
      put(key, message, `texts.${language}.${key}`)
    return [language, topics] as const
  })
  return Object.fromEntries(result) as Words
}

function cssOf(scheme: Scheme | undefined, font: ThemeFile['font'], fontUrl?: string): string {
  const face = `@font-face { font-family: Theme; src: url('${fontUrl}') format('woff2'); font-weight: 100 900; font-display: swap; }`
  const colours = Object.entries(scheme?.light ?? {}).map(
    ([name, light]) => `--${name}: light-dark(${light}, ${scheme?.dark[name] ?? light});`,
  )
  // Scripts that the file does not hold are written in the system's.
  const family = typeof font === 'object' ? `Theme, ${FONTS.system}` : font && FONTS[font]
  return [
    ...(fontUrl === undefined ? [] : [face]),
    ...(colours.length === 0 ? [] : [`:root { ${colours.join(' ')} }`]),
    ...(family === undefined ? [] : [`:root { font-family: ${family}; }`]),
  ].join('\n')
}
