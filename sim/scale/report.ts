import type { Verdict } from '../audit/audit.ts'

/** Something that was done to the system while people bought. */
export interface Step {
  readonly what: string
  /** Seconds after the crowd set out, and until it had its effect. */
  readonly at: number
  readonly took: number
  /** Orders that reached SQL meanwhile. */
  readonly orders: number
}

/** Something of this part alone that has to hold as well. */
export interface Finding {
  readonly name: string
  readonly ok: boolean
  /** What was seen. */
  readonly saw: string
}

export interface ScaleResult {
  readonly steps: readonly Step[]
  readonly findings: readonly Finding[]
  readonly verdicts: readonly Verdict[]
}

/** The last line of `--json`. */
export interface ScaleReport extends Omit<ScaleResult, 'verdicts'> {
  readonly what: string
  readonly seed: number
  readonly buyers: number
  readonly invariants: readonly { readonly name: string; readonly result: Verdict['result'] }[]
  /** Names of the invariants and findings that did not hold. */
  readonly broken: readonly string[]
}

export function reportOf(
  facts: { readonly what: string; readonly seed: number; readonly buyers: number },
  { steps, findings, verdicts }: ScaleResult,
): ScaleReport {
  return {
    ...{ what: facts.what, seed: facts.seed, buyers: facts.buyers, steps, findings },
    invariants: verdicts.map(({ name, result }) => ({ name, result })),
    broken: [
      ...verdicts.flatMap(({ name, result }) => (result === 'broken' ? [name] : [])),
      ...findings.flatMap(({ name, ok }) => (ok ? [] : [name])),
    ],
  }
}

/** The whole run for people. */
export function renderReport(report: ScaleReport, verdicts: readonly Verdict[]): string {
  const { what, seed, buyers, findings, broken } = report
  const unseen = verdicts.flatMap(({ name, result }) => (result === 'not_checked' ? [name] : []))
  return [
    '',
    `scale ${what}: ${buyers} buyers (--seed ${seed})`,
    ...findings.map(({ name, ok, saw }) => `  ${ok ? 'held  ' : 'BROKEN'} ${name}: ${saw}`),
    ...verdicts.flatMap(({ name, result, violations }) =>
      result === 'broken' ? [`  BROKEN ${name}`, ...violations.slice(0, 5).map((one) => `    ${one}`)] : [],
    ),
    ...(unseen.length === 0 ? [] : [`  nothing to look at: ${unseen.join(', ')}`]),
    broken.length === 0
      ? `  All held that had something to look at, ${verdicts.length - unseen.length} of ${verdicts.length} invariants.`
      : `  BROKEN: ${broken.join(', ')}`,
  ].join('\n')
}
