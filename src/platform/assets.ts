import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import {
  createSay,
  directionOf,
  type Language,
  LANGUAGE_NAMES,
  LANGUAGES,
  type Topics,
} from '../contracts/words/say.ts'
import { projectPath } from './project.ts'
import { hashOf, represent, type Representation } from './representation.ts'
import { fillTemplate, Html, jsonHtml, type TemplateValues } from './templates.ts'
import type { ThemeAsset } from './theme/beside.ts'
import { brandOf } from './theme/brand.ts'
import { readTheme, type Theme } from './theme/theme.ts'

export interface Assets {
  /** A page by the name of its file in `pages/`. Throws RangeError where there is none: the caller's mistake. */
  page(name: string, language: Language): Representation
  /** The HTML of a page that has holes of its own; `head` is one of them. Throws RangeError where one has no value. */
  write(name: string, language: Language, values: TemplateValues): string
  /** A script, style or picture by its hashed name; its content never changes under that name. */
  asset(name: string): Representation | undefined
  /** Addresses of what every page needs, those made elsewhere too. */
  readonly style: string
  readonly icon: string
  readonly iconType: string
  /** The shop's mark, for the top of a page. */
  readonly brand: Html
  readonly theme: Theme
}

export interface AssetSource {
  /** Holds layout.html, style.css, icon.svg and pages/. */
  readonly directory?: string
  /** What every page's script finds in the JSON block `config`: public, the same for everybody. */
  readonly config: Readonly<Record<string, string>>
  /** Our own look where there is none. */
  readonly theme?: Theme
}

export const ASSET_PATH = '/assets/'

/** What every script may say. */
const COMMON_TOPICS = ['common', 'problems']

/**
 * Bundles the pages' scripts and styles once (minified, shared code in chunks, names that carry a hash of the content)
 * and puts those names into the HTML, which is made once for each language. Throws an AggregateError where the sources do not build.
 */
export async function buildAssets({
  directory = projectPath('web'),
  config,
  theme = readTheme(),
}: AssetSource): Promise<Assets> {
  const pagesDirectory = join(directory, 'pages')
  const files = await readdir(pagesDirectory)
  const pageNames = files.filter((file) => file.endsWith('.html')).map((file) => basename(file, '.html'))
  const solver = join(directory, 'waiting-room/solver.worker.ts')
  const scripts = pageNames.filter((name) => files.includes(`${name}.ts`))

  const assets = new Map<string, Representation>()
  const serve = ({ file, type, body }: ThemeAsset) => {
    const extension = extname(file)
    const name = `${basename(file, extension)}-${hashOf(body).slice(0, 8)}${extension}`
    assets.set(name, represent(type, body))
    return ASSET_PATH + name
  }
  const themed = theme.css(theme.font && serve(theme.font))
  const sheet = join(directory, 'style.css')

  const built = await Bun.build({
    entrypoints: [
      ...scripts.map((name) => join(pagesDirectory, `${name}.ts`)),
      ...(existsSync(solver) ? [solver] : []),
      sheet,
    ],
    // Bundled with the rest: the same browsers understand it.
    files: { [sheet]: `${await readFile(sheet, 'utf8')}\n${themed}` },
    external: [`${ASSET_PATH}*`],
    target: 'browser',
    minify: true,
    splitting: true,
    publicPath: ASSET_PATH,
    naming: { entry: '[name]-[hash].[ext]', chunk: 'shared-[hash].[ext]', asset: '[name]-[hash].[ext]' },
  })
  const address = new Map<string, string>()
  for (const output of built.outputs) {
    const name = basename(output.path)
    assets.set(name, represent(output.type, new Uint8Array(await output.arrayBuffer())))
    if (output.kind !== 'chunk') address.set(name.replace(/-\w+(?=\.\w+$)/, ''), ASSET_PATH + name)
  }
  const logo = theme.logo ?? {
    ...{ file: 'icon.svg', type: 'image/svg+xml' },
    body: await readFile(join(directory, 'icon.svg')),
  }
  const icon = serve(logo)
  const brand = brandOf(theme, icon, serve)

  const style = address.get('style.css') ?? ''
  const layout = await readFile(join(directory, 'layout.html'), 'utf8')
  const { words } = theme
  const shop_url = config['shop_url'] ?? ''
  const pages = new Map<string, Representation>()
  const writers = new Map<string, (values: TemplateValues) => string>()
  for (const name of pageNames) {
    const source = parsePage(name, await readFile(join(pagesDirectory, `${name}.html`), 'utf8'))
    const script = address.get(`${name}.js`)
    for (const language of LANGUAGES) {
      const say = createSay({ language, topics: words[language] })
      const filled = (template: string, values: TemplateValues = {}) =>
        new Html(fillTemplate(name, template, { shop_url, ...values }, say))
      const needsScripts = `<noscript><p class="notice bad">{{common.needs_scripts}}</p></noscript>`
      const frame = {
        ...{ name, language, style, direction: directionOf(language) },
        ...{ icon, icon_type: logo.type, brand, shop_name: theme.name },
        config: jsonHtml({ ...config, solver_url: address.get('solver.worker.js') ?? '' }),
        words: jsonHtml({ language, topics: pick(words[language], [...COMMON_TOPICS, ...source.topics]) }),
        script: new Html(script === undefined ? '' : `<script type="module" src="${script}"></script>`),
        // A page that has a way without scripts says so itself.
        noscript: source.isFilled || source.content.includes('<noscript>') ? '' : filled(needsScripts),
        shop_url,
        languages: LANGUAGES.map((other) => languageLink(other, language)),
      }
      const write = (values: TemplateValues = {}) =>
        fillTemplate(
          'layout',
          layout,
          {
            ...frame,
            head: values['head'] ?? '',
            title: filled(source.title, values),
            content: filled(source.content, values),
          },
          say,
        )
      if (source.isFilled) writers.set(`${name} ${language}`, write)
      else
        pages.set(
          `${name} ${language}`,
          represent('text/html; charset=utf-8', new TextEncoder().encode(write())),
        )
    }
  }
  const find = <Found>(among: ReadonlyMap<string, Found>, name: string, language: Language) => {
    const found = among.get(`${name} ${language}`)
    if (found === undefined) throw new RangeError(`there is no page ${name} in ${language}`)
    return found
  }

  return {
    page: (name, language) => find(pages, name, language),
    write: (name, language, values) => find(writers, name, language)(values),
    asset: (name) => assets.get(name),
    ...{ style, icon, iconType: logo.type, brand, theme },
  }
}

/** A page's file: its title, the topics of `words/` that its script speaks of, the markup, and whether it has holes. */
function parsePage(name: string, file: string) {
  const [, title, topics, content] =
    /^<title>(.*)<\/title>\n(?:<!-- words: (.*) -->\n)?([^]*)$/.exec(file) ?? []
  if (title === undefined || content === undefined) throw new Error(`${name}.html starts with no <title>`)
  const isFilled = /\{\{(?!shop_url\}\})\w+\}\}/.test(title + content)
  return { title, topics: topics?.split(' ') ?? [], content, isFilled }
}

function pick(topics: Topics, names: readonly string[]): Topics {
  return Object.fromEntries(
    names.map((name) => {
      const topic = topics[name]
      if (topic === undefined) throw new Error(`words/ has no ${name}.json`)
      return [name, topic]
    }),
  )
}

function languageLink(to: Language, current: Language): Html {
  const mark = to === current ? ' aria-current="true"' : ''
  return new Html(`<a href="?lang=${to}" lang="${to}" hreflang="${to}"${mark}>${LANGUAGE_NAMES[to]}</a>`)
}
