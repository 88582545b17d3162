import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

// The house rules that a tool can check (docs/architecture.md tells them in prose). Each rule is a function over the
// files, so that `rules can fail` below can show that it bites.

interface SourceFile {
  readonly path: string
  readonly text: string
  /** Project files it imports, and packages by their bare name. */
  readonly imports: readonly string[]
}

const ROOT = resolve(import.meta.dir, '..')
const isTest = (path: string) => /\.test\.ts$|\/model\.ts$|^test\//.test(path)

function walk(folder: string): string[] {
  return readdirSync(join(ROOT, folder)).flatMap((name) => {
    const path = join(folder, name)
    return statSync(join(ROOT, path)).isDirectory() ? walk(path) : [path]
  })
}

function parse(path: string, text: string): SourceFile {
  const specifiers = [...text.matchAll(/(?:from|import\()\s*'([^']+)'|^import\s+'([^']+)'/gm)].map(
    (match) => match[1] ?? match[2] ?? '',
  )
  const imports = specifiers.map((name) =>
    name.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(path), name)) : name,
  )
  return { path, text, imports }
}

const files = ['src', 'sim', 'web', 'bench', 'test']
  .flatMap(walk)
  .filter((path) => /\.(tsx?|lua)$/.test(path))
  .map((path) => parse(path, readFileSync(join(ROOT, path), 'utf8')))
const code = files.filter(({ path }) => /\.tsx?$/.test(path) && !isTest(path))

const layerOf = (path: string) =>
  /^src\/(contracts|platform|flow|guard|operator|sandbox|processes)\//.exec(path)?.[1]
const stepOf = (path: string) => /^src\/flow\/([^/]+)\//.exec(path)?.[1]

/** From which layers each layer may import; besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  contracts: [],
  platform: ['contracts'],
  flow: ['contracts', 'platform'],
  guard: ['contracts', 'platform'],
  operator: ['contracts', 'platform', 'flow', 'guard'],
  sandbox: ['contracts', 'platform'],
  processes: ['contracts', 'platform', 'flow', 'guard', 'operator', 'sandbox'],
}

/** Doors of a step beside `<step>.ts`: the ways in that the composition root mounts. */
const MOUNTED =
  /\/(routes|pages|plain|consumer|claiming|stock-board|backlog-limit|stripe|paypal|(steady-)?provider)\.ts$/

/** What the simulation composes beside the doors, and the models it puts in place of stores. */
const SIMULATED = /\/(routes|consumer|claiming|stock-board|provider|model|states|postponed)\.ts$/

const DRIVEN = /\/(claiming|stock-board|tickets)\.ts$/

/** Which files may import a client library. */
const QUARANTINE: Readonly<Record<string, RegExp>> = {
  ioredis: /^src\/platform\/redis(-\w+)?\.ts$/,
  'cluster-key-slot': /^src\/platform\/(redis-cluster|slots)\.ts$/,
  pg: /^src\/platform\/(postgres|migrate|shards\/(mover|moving|guards))\.ts$/,
  '@platformatic/kafka': /^src\/platform\/kafka(-\w+)?\.ts$/,
  stripe: /^src\/flow\/payments\/stripe(-objects)?\.ts$/,
  'csv-stringify': /^src\/platform\/csv\.ts$/,
  nodemailer: /^src\/platform\/mail\.ts$/,
  'smtp-server': /^src\/sandbox\/mailbox\/server\.ts$/,
  pino: /^src\/platform\/telemetry\.ts$/,
  cockatiel: /^src\/platform\/breaker\.ts$/,
  'prom-client': /^src\/platform\/telemetry\.ts$/,
  'image-size': /^src\/platform\/images\.ts$/,
  otpauth: /^src\/operator\/accounts\/totp\.ts$/,
  jose: /^src\/guard\/identity\.ts$/,
  commander: /^src\/(doorbuster|platform\/command-line)\.ts$/,
}

/** Each table is read and written by one folder; the joins named here read another's table and say so. */
const TABLES: Readonly<Record<string, RegExp>> = {
  sales: /^src\/flow\/catalogue\//,
  products: /^src\/flow\/catalogue\//,
  pictures: /^src\/flow\/catalogue\//,
  // Whole logical shards are moved by the platform, whatever is in the rows.
  orders: /^src\/(flow\/(orders|payments|gift-cards|notices)\/(overview-)?sql|platform\/shards\/\w+)\.ts$/,
  shard_map: /^src\/platform\/shards\//,
  held_shards: /^src\/platform\/shards\//,
  payments: /^src\/flow\/(payments|notices)\/(overview-)?sql\.ts$/,
  queue_marks: /^src\/flow\/waiting-room\/sql\.ts$/,
  webhook_events: /^src\/flow\/payments\/sql\.ts$/,
  gift_cards: /^src\/flow\/(gift-cards|notices)\/(overview-)?sql\.ts$/,
  gift_card_uses: /^src\/flow\/(gift-cards|notices)\/(overview-)?sql\.ts$/,
  oversell_plans: /^src\/flow\/oversell\/sql\.ts$/,
  oversell_approvals: /^src\/flow\/oversell\/sql\.ts$/,
  contacts: /^src\/flow\/notices\/(contacts-|overview-)?sql\.ts$/,
  notices: /^src\/flow\/notices\/(contacts-|overview-)?sql\.ts$/,
  reconcile_runs: /^src\/flow\/reconcile\/sql\.ts$/,
  operators: /^src\/operator\/accounts\/(accounts|sessions)-sql\.ts$/,
  operator_sessions: /^src\/operator\/accounts\/sessions-sql\.ts$/,
  audit_log: /^src\/operator\/sql\.ts$/,
  schema_migrations: /^src\/platform\/migrate\.ts$/,
}

type Rule = (file: SourceFile) => string[]

const rules: Record<string, Rule> = {
  'layers import one way': ({ path, imports }) => {
    const layer = layerOf(path)
    if (layer === undefined) return []
    return imports.flatMap((target) => {
      const other = layerOf(target)
      if (other === undefined)
        return target.startsWith('src/') && layer !== 'processes' ? [`${path} imports ${target}`] : []
      return other === layer || MAY_IMPORT[layer]?.includes(other) ? [] : [`${path} imports ${target}`]
    })
  },
  'contracts import nothing but schemas and words': ({ path, imports }) =>
    layerOf(path) === 'contracts'
      ? imports
          .filter(
            (name) =>
              !/^(zod|@hono\/zod-openapi|@noble\/hashes\/.*|(src\/contracts|words\/en)\/.*)$/.test(name),
          )
          .map((name) => `${path}: ${name}`)
      : [],
  'a step is entered by its door': ({ path, imports }) =>
    imports
      .filter((target) => {
        const step = stepOf(target)
        if (step === undefined || step === stepOf(path) || path.startsWith('bench/')) return false
        if (target === `src/flow/${step}/${step}.ts`) return false
        // The auditor reads the state from outside, by the keys' names.
        if (target.endsWith('/keys.ts') && path.startsWith('sim/audit/')) return false
        // The simulation puts models in place of what the parts of a step reach.
        if (path.startsWith('sim/simulation/') && SIMULATED.test(target)) return false
        // The stampede rebuilds tickets rather than keep ten million, and composes what it drives.
        if (path.startsWith('sim/stampede/') && DRIVEN.test(target)) return false
        return !(MOUNTED.test(target) && /^src\/(app|hosts)\.ts$|^src\/processes\//.test(path))
      })
      .map((target) => `${path} imports ${target}`),
  'client libraries are quarantined': ({ path, imports }) =>
    Object.entries(QUARANTINE).flatMap(([name, allowed]) =>
      imports.some((target) => target === name || target.startsWith(`${name}/`)) && !allowed.test(path)
        ? [`${path} imports ${name}`]
        : [],
    ),
  'only the settings read process.env': ({ path, text }) =>
    /process\.env\b/.test(text) && path !== 'src/platform/config.ts' ? [path] : [],
  'time and chance are injected': ({ path, text }) =>
    /^src\/(flow|guard)\//.test(path)
      ? [...text.matchAll(/\b(Date\.now\(|Math\.random\(|setTimeout\(|setInterval\()/g)].map(
          ([found]) => `${path}: ${found}`,
        )
      : [],
  'Bun is spoken to in platform': ({ path, text }) =>
    /\bBun\.\w/.test(text) && !path.startsWith('src/platform/') ? [path] : [],
  'one folder owns a table': ({ path, text }) =>
    path.startsWith('src/')
      ? [
          ...text.matchAll(
            /\b(?:from|into|update|join)\s+([a-z_]+)\b(?=[\s\n]+(?:set|where|\(|order|values|\$|o\b|p\b|join|group))/g,
          ),
        ].flatMap(([, table = '']) => {
          const owner = TABLES[table]
          return owner === undefined || owner.test(path) ? [] : [`${path} touches ${table}`]
        })
      : [],
  'files stay small': ({ path, text }) => {
    const lines = text.split('\n').length
    return lines > 260 ? [`${path} has ${lines} lines`] : []
  },
  'nothing is left to do': ({ path, text }) =>
    /\b(TODO|FIXME|XXX)\b|@ts-ignore|@ts-nocheck|eslint-disable|\bas any\b/.test(text) ? [path] : [],
}

describe('house rules', () => {
  for (const [name, rule] of Object.entries(rules)) test(name, () => expect(code.flatMap(rule)).toEqual([]))

  test('imports make no cycle', () => expect(cycles(code)).toEqual([]))

  test('a Lua script is short and its header names keys, arguments, results and events', () => {
    const scripts = files.filter(({ path, text }) => path.endsWith('.lua') && /\bARGV\b/.test(text))
    expect(scripts.length).toBeGreaterThan(10)
    for (const { path, text } of scripts) {
      const header = /^(--.*\n)+/.exec(text)?.[0] ?? ''
      for (const word of ['KEYS', 'ARGV', 'RESULTS', 'EVENTS']) expect(`${path} ${header}`).toContain(word)
      expect({ path, long: text.split('\n').length > 90 }).toEqual({ path, long: false })
    }
  })

  test('a browser is opened in one place, where its pages are watched', () => {
    const openers = files.filter(
      ({ path, text }) => path.endsWith('.ts') && /\bnewContext\(|\bchromium\b/.test(text),
    )
    expect(openers.map(({ path }) => path)).toEqual(['test/browser/watched.ts'])
  })

  test('processes hold no logic', () => {
    for (const { path, text } of code.filter(({ path }) => layerOf(path) === 'processes'))
      expect({ path, long: text.split('\n').length > 40 }).toEqual({ path, long: false })
  })
})

describe('rules can fail', () => {
  const broken: Record<keyof typeof rules, SourceFile> = {
    'layers import one way': parse('src/platform/x.ts', "import { a } from '../flow/orders/orders.ts'"),
    'contracts import nothing but schemas and words': parse('src/contracts/x.ts', "import { a } from 'hono'"),
    'a step is entered by its door': parse(
      'src/flow/orders/x.ts',
      "import { a } from '../inventory/keys.ts'",
    ),
    'client libraries are quarantined': parse('src/flow/orders/x.ts', "import { Redis } from 'ioredis'"),
    'only the settings read process.env': parse('src/app.ts', 'process.env.PORT'),
    'time and chance are injected': parse('src/flow/orders/x.ts', 'const t = Date.now()'),
    'Bun is spoken to in platform': parse('src/flow/orders/x.ts', 'Bun.sleep(1)'),
    'one folder owns a table': parse('src/flow/restock/x.ts', '`update orders set status = 1`'),
    'files stay small': parse('src/app.ts', '\n'.repeat(300)),
    'nothing is left to do': parse('src/app.ts', '// TO' + 'DO later'),
  }
  for (const [name, rule] of Object.entries(rules))
    test(name, () => expect(rule(broken[name] as SourceFile)).not.toEqual([]))
  test('a cycle is seen', () => {
    const a = parse('src/a.ts', "import './b.ts'")
    const b = parse('src/b.ts', "import './a.ts'")
    expect(cycles([a, b])).not.toEqual([])
  })
})

/** Files that reach themselves through imports; imports of types alone are no cycle at run time. */
function cycles(among: readonly SourceFile[]): string[] {
  const graph = new Map(
    among.map(({ path, text }) => [
      path,
      parse(path, text.replace(/^import type [^;]*?from '[^']+'/gms, '')).imports,
    ]),
  )
  const reaches = (from: string, goal: string, seen: Set<string>): boolean =>
    (graph.get(from) ?? []).some(
      (next) => next === goal || (!seen.has(next) && seen.add(next) && reaches(next, goal, seen)),
    )
  return [...graph.keys()].filter((path) => reaches(path, path, new Set()))
}
