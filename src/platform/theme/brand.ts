import { escapeHtml, Html } from '../templates.ts'
import type { ThemeAsset } from './beside.ts'
import type { Theme } from './theme.ts'

/** The shop's mark at the top of each page. `serve`: gives the address at which a file is served. */
export function brandOf({ name, wordmark }: Theme, icon: string, serve: (asset: ThemeAsset) => string): Html {
  const shown = escapeHtml(name)
  if (wordmark === undefined) return new Html(`<img src="${icon}" alt="" width="28" height="28" />${shown}`)
  const [light, dark] = [serve(wordmark.light), serve(wordmark.dark)]
  return new Html(
    `<picture><source srcset="${dark}" media="(prefers-color-scheme: dark)" /><img class="wordmark" src="${light}" alt="${shown}" height="28" /></picture>`,
  )
}
