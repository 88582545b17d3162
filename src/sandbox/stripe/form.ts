/** Stripe's request bodies: `application/x-www-form-urlencoded` with brackets for nesting, read strictly. */
import { invalidRequest } from './errors.ts'

export type FormValue = string | Form
export interface Form {
  [name: string]: FormValue
}

const maxDepth = 8

/** `a[b][]=x&a[b][]=y&c=z` becomes `{ a: { b: { 0: 'x', 1: 'y' } }, c: 'z' }`, without prototypes. */
export function decodeForm(text: string): Form {
  const root = emptyForm()
  for (const [key, value] of new URLSearchParams(text)) {
    const path = splitKey(key)
    if (path.length > maxDepth) throw invalidRequest('Invalid request: too deeply nested')
    let form = root
    path.forEach((part, i) => {
      const name = part === '' ? String(Object.keys(form).length) : part
      if (i === path.length - 1) {
        form[name] = value
        return
      }
      const inner = form[name]
      if (typeof inner === 'object') form = inner
      else form = form[name] = emptyForm()
    })
  }
  return root
}

const emptyForm = (): Form => Object.create(null) as Form

function splitKey(key: string): string[] {
  const open = key.indexOf('[')
  if (open <= 0 || !key.endsWith(']')) return [key]
  return [key.slice(0, open), ...key.slice(open + 1, -1).split('][')]
}

/** Reads parameters by name and type; `refuseOthers` then rejects whatever nobody asked for, as Stripe does. */
export class Params {
  private readonly form: Form
  private readonly prefix: string
  private readonly asked = new Set<string>()

  constructor(form: Form, prefix = '') {
    this.form = form
    this.prefix = prefix
  }

  /** The parameter's name as the caller wrote it, e.g. `payment_method_data[card][number]`. */
  path(name: string): string {
    return this.prefix ? `${this.prefix}[${name}]` : name
  }

  text(name: string): string | undefined {
    const value = this.take(name)
    if (value === undefined) return undefined
    if (typeof value !== 'string')
      throw invalidRequest(`Invalid string: ${this.path(name)}`, { param: this.path(name) })
    if (value !== '') return value
    const message = `You passed an empty string for '${this.path(name)}'. We assume empty values are an attempt to unset a parameter; however '${this.path(name)}' cannot be unset. You should remove '${this.path(name)}' from your request or supply a non-empty value.`
    throw invalidRequest(message, { code: 'parameter_invalid_empty', param: this.path(name) })
  }

  required(name: string): string {
    const value = this.text(name)
    if (value !== undefined) return value
    const param = this.path(name)
    throw invalidRequest(`Missing required param: ${param}.`, { code: 'parameter_missing', param })
  }

  integer(name: string): number | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    const number = Number(value)
    if (/^-?\d+$/.test(value) && Number.isSafeInteger(number)) return number
    const param = this.path(name)
    throw invalidRequest(`Invalid integer: ${value}`, { code: 'parameter_invalid_integer', param })
  }

  flag(name: string): boolean {
    const value = this.text(name)
    if (value === undefined || value === 'false') return false
    if (value === 'true') return true
    throw invalidRequest(`Invalid boolean: ${value}`, { param: this.path(name) })
  }

  oneOf<T extends string>(name: string, options: readonly T[]): T | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    const found = options.find((option) => option === value)
    if (found !== undefined) return found
    const message = `Invalid ${this.path(name)}: must be one of ${options.join(', ')}`
    throw invalidRequest(message, { param: this.path(name) })
  }

  /** A flat map such as `metadata`. */
  strings(name: string): Record<string, string> {
    const value = this.take(name)
    if (value === undefined || value === '') return {}
    const entries = typeof value === 'string' ? undefined : Object.entries(value)
    if (!entries?.every((entry): entry is [string, string] => typeof entry[1] === 'string')) {
      throw invalidRequest(`Invalid hash: ${this.path(name)}`, { param: this.path(name) })
    }
    return Object.fromEntries(entries)
  }

  list(name: string): string[] {
    return Object.values(this.strings(name))
  }

  isNested(name: string): boolean {
    return typeof this.form[name] === 'object'
  }

  nested(name: string): Params | undefined {
    const value = this.take(name)
    if (value === undefined) return undefined
    if (typeof value === 'string') throw invalidRequest('Invalid object', { param: this.path(name) })
    return new Params(value, this.path(name))
  }

  refuseOthers(): void {
    const other = Object.keys(this.form).find((name) => !this.asked.has(name))
    if (other === undefined) return
    const param = this.path(other)
    throw invalidRequest(`Received unknown parameter: ${param}`, { code: 'parameter_unknown', param })
  }

  private take(name: string): FormValue | undefined {
    this.asked.add(name)
    return this.form[name]
  }
}
