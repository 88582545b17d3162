import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'

// What `npm test` runs: types, lint and format (one test each), then every test. Arguments are handed to `bun test`;
// with them the checks are left out. At the end all that failed is told once more; the last line says `N passed, N failed`,
// and how many were skipped, if any.

interface Counts {
  passed: number
  failed: number
  skipped: number
}

const CHECKS = [
  { name: 'types', command: ['node_modules/.bin/tsc', '--noEmit'] },
  { name: 'lint', command: ['node_modules/.bin/eslint', '.'] },
  { name: 'format', command: ['node_modules/.bin/prettier', '--check', '--log-level', 'warn', '.'] },
]
/** Of a test or a hook that names none of its own: starting servers takes its time on a busy machine. */
const TIMEOUT_MS = 30_000
/** Of what a failed test said, when it is told again. */
const LINES = 40
const BROWSER = './test/browser/'
const OTHERS = [
  ...['src', 'sim', 'web', 'bench'].filter((folder) => existsSync(folder)).map((folder) => `./${folder}/`),
  ...readdirSync('test')
    .filter((name) => !['browser', 'output', 'run.ts'].includes(name))
    .map((name) => `./test/${name}`),
]

const args = process.argv.slice(2)
const total: Counts = { passed: 0, failed: 0, skipped: 0 }
const failures: string[] = []
if (args.length > 0) await runTests(args)
// Most tests wait more than they work: two rows at once take about as long as one. What the second says comes at its end.
else await Promise.all([runTests(OTHERS), runSecondRow()])

if (failures.length > 0) console.log(`\nFailed:\n\n${failures.join('\n\n')}`)
const skipped = total.skipped === 0 ? '' : `, ${total.skipped} skipped`
console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`)
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1)

async function runSecondRow(): Promise<void> {
  for (const check of CHECKS) await runCheck(check)
  await runTests([BROWSER], 'at its end')
}

async function runCheck({ name, command }: { name: string; command: string[] }): Promise<void> {
  const { code } = await run(command, 'at its end')
  console.log(`(${code === 0 ? 'pass' : 'fail'}) ${name}`)
  total[code === 0 ? 'passed' : 'failed']++
  if (code !== 0) failures.push(name)
}

/** Adds up what Bun counts; a run that fails without a failed test (it could not load a file) counts as one. */
async function runTests(paths: readonly string[], shown: Shown = 'as it comes'): Promise<void> {
  const command = [process.execPath, 'test', '--timeout', String(TIMEOUT_MS), ...paths]
  const { code, errors } = await run(command, shown)
  // Bun's own summary is the last on stderr; a test may have written something alike before.
  const count = (word: string) =>
    Number([...errors.matchAll(new RegExp(`^ *(\\d+) ${word}$`, 'gm'))].at(-1)?.[1] ?? 0)
  const failed = count('fail')
  total.passed += count('pass')
  total.failed += code !== 0 && failed === 0 ? 1 : failed
  total.skipped += count('skip') + count('todo')
  const told = failuresIn(errors)
  failures.push(...(code === 0 || told.length > 0 ? told : [errors.split('\n').slice(-LINES).join('\n')]))
}

/** Each failed test in Bun's output: its file, the last lines before its name, which say why, and its name. */
function failuresIn(output: string): string[] {
  const found: string[] = []
  let [file, lines] = ['', [] as string[]]
  for (const line of output.split('\n')) {
    const isResult = /^\((?:pass|fail|skip|todo)\) /.test(line)
    // What follows are the names once more.
    if (/^\d+ tests? failed:$/.test(line)) break
    const isFile = /^\S+\.test\.tsx?:$/.test(line)
    if (isFile) file = line
    if (line.startsWith('(fail)')) found.push([file, ...lines.slice(-LINES), line].join('\n'))
    lines = isResult || isFile ? [] : [...lines, line]
  }
  return found
}

type Shown = 'as it comes' | 'at its end'

/** Runs to the end; a signal to us ends it too. */
function run(
  [program = '', ...rest]: string[],
  shown: Shown,
): Promise<{ code: number | null; errors: string }> {
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      child.kill(signal)
      process.exit(1)
    })
  let [errors, held] = ['', '']
  const show = (text: string) => {
    if (shown === 'as it comes') process.stderr.write(text)
    else held += text
  }
  child.stdout.on('data', (chunk: Buffer) => show(chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
    show(chunk.toString())
  })
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, errors: error.message }))
    child.once('close', (code) => {
      process.stderr.write(held)
      resolve({ code, errors })
    })
  })
}
