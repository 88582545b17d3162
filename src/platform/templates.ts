import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** Markup that came out of a template: the only thing that goes into another one as it is. */
export class Html {
  readonly markup: string

  constructor(markup: string) {
    this.markup = markup
  }
}

export type TemplateValue = string | number | Html | readonly Html[]

export interface Templates {
  /**
   * The template of this name with its `{{holes}}` filled; everything but Html is escaped. Throws RangeError where
   * there is no such template or a hole has no value: the caller's mistake.
   */
  readonly render: (name: string, values?: Readonly<Record<string, TemplateValue>>) => Html
}

/** Reads every `.html` of a folder once. */
export function readTemplates(directory: string): Templates {
  const sources = new Map(
    readdirSync(directory)
      .filter((file) => file.endsWith('.html'))
      .map((file) => [basename(file, '.html'), readFileSync(join(directory, file), 'utf8').trim()]),
  )
  return {
    render: (name, values = {}) => {
      const source = sources.get(name)
      if (source === undefined) throw new RangeError(`there is no template ${name}`)
      const markup = source.replace(/\{\{(\w+)\}\}/g, (_, hole: string) => {
        const value = values[hole]
        if (value === undefined) throw new RangeError(`the template ${name} has no value for ${hole}`)
        return markupOf(value)
      })
      return new Html(markup)
    },
  }
}

function markupOf(value: TemplateValue): string {
  if (value instanceof Html) return value.markup
  if (typeof value === 'object') return value.map(({ markup }) => markup).join('\n')
  return escapeHtml(String(value))
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
