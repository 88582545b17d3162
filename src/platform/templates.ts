import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Key, Say } from '../contracts/words/say.ts'

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
   * The template of this name with its `{{holes}}` filled, and `{{topic.message}}` said; everything but Html is
   * escaped. Throws RangeError where there is no such template or a hole has no value: the caller's mistake.
   */
  readonly render: (name: string, values?: TemplateValues, say?: Say) => Html
}

export type TemplateValues = Readonly<Record<string, TemplateValue>>

/** Reads every `.html` of a folder once. */
export function readTemplates(directory: string): Templates {
  const sources = new Map(
    readdirSync(directory)
      .filter((file) => file.endsWith('.html'))
      .map((file) => [basename(file, '.html'), readFileSync(join(directory, file), 'utf8').trim()]),
  )
  return {
    render: (name, values = {}, say) => {
      const source = sources.get(name)
      if (source === undefined) throw new RangeError(`there is no template ${name}`)
      return new Html(fillTemplate(name, source, values, say))
    },
  }
}

/** `name` is for the error only. */
export function fillTemplate(name: string, source: string, values: TemplateValues, say?: Say): string {
  return source.replace(/\{\{([\w.-]+)\}\}/g, (_, hole: string) => {
    const value = values[hole] ?? (hole.includes('.') ? say?.(hole as Key) : undefined)
    if (value === undefined) throw new RangeError(`the template ${name} has no value for ${hole}`)
    return markupOf(value)
  })
}

function markupOf(value: TemplateValue): string {
  if (value instanceof Html) return value.markup
  if (typeof value === 'object') return value.map(({ markup }) => markup).join('\n')
  return escapeHtml(String(value))
}

/** Data for scripts of the page, or for whoever reads it from outside; `<` is escaped so that no value ends its block. */
export function jsonHtml(value: unknown): Html {
  return new Html(JSON.stringify(value).replaceAll('<', '\\u003c'))
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
