/** What the header of a Lua command promises, so that its test can hold it to that. */
export interface LuaHeader {
  /** Names of the KEYS, in order. */
  readonly keys: readonly string[]
  /** The text that describes ARGV. */
  readonly argv: string
  /** Every word the script may answer. */
  readonly results: readonly string[]
  /** Which of the keys it may change. */
  readonly writes: readonly string[]
  readonly events: readonly string[]
}

type Section = 'KEYS' | 'ARGV' | 'RESULTS' | 'WRITES' | 'EVENTS'

/** Throws where a section is missing: a header that says nothing can not be tested. */
export function parseHeader(source: string): LuaHeader {
  const lines = /^(?:--.*\n)+/.exec(source)?.[0].trimEnd().split('\n') ?? []
  const sections = new Map<string, string[]>()
  let current: string[] | undefined
  for (const line of lines) {
    const [, name, text] = /^-- (?:([A-Z]+)(?= {2}))? *(.*)$/.exec(line) ?? []
    if (name !== undefined) sections.set(name, (current = []))
    current?.push(text ?? '')
  }
  const section = (name: Section): string[] => {
    const found = sections.get(name)
    if (!found) throw new Error(`the header has no ${name}:\n${lines.join('\n')}`)
    return found
  }
  const names = (text: string) => (text === 'none' ? [] : text.split(' '))
  return {
    keys: names(section('KEYS').join(' ')),
    argv: section('ARGV').join(' '),
    // A result is a word alone, or set off from its explanation by two spaces.
    results: section('RESULTS').flatMap((line) => /^([a-z_]+)(?: {2}|$)/.exec(line)?.[1] ?? []),
    writes: names(section('WRITES').join(' ')),
    events:
      section('EVENTS')
        .join(' ')
        .match(/\b[A-Z]\w+/g) ?? [],
  }
}

/** Names of the arguments that the code reads, by how the scripts here read them. */
export function argumentsRead(source: string): string[] {
  const locals = [...source.matchAll(/^ *local ([\w, ]+) = (?:unpack\(ARGV\)|ARGV\[)/gm)].flatMap(
    ([, names = '']) => names.split(', '),
  )
  const fields = [...source.matchAll(/\btruth\.(\w+)/g)].map(([, name = '']) => name)
  return [...new Set([...locals, ...fields])]
}
