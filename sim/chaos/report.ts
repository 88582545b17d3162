import { INVARIANTS } from '../audit/invariants.ts'
import type { Round } from './round.ts'

/** The last line of `--json`. */
export interface ChaosReport {
  readonly seed: number
  readonly faults: readonly { readonly name: string; readonly fired: boolean }[]
  readonly invariants: readonly { readonly name: string; readonly ok: boolean }[]
  /** Names of the invariants that did not hold. */
  readonly broken: readonly string[]
}

/** What is reported of a round; a part of it, so that tests need no evidence. */
export type Judged = Pick<Round, 'planned' | 'fired' | 'verdicts' | 'sellingAgainS' | 'terminalS'>

/** An invariant is ok when it was looked at in some round and broken in none. */
export function reportOf(seed: number, rounds: readonly Judged[]): ChaosReport {
  const invariants = INVARIANTS.map(({ name }) => {
    const verdicts = rounds.flatMap((round) => round.verdicts.filter((verdict) => verdict.name === name))
    const broken = verdicts.some(({ result }) => result === 'broken')
    return { name, ok: !broken && verdicts.some(({ result }) => result === 'held'), broken }
  })
  return {
    seed,
    faults: rounds.map(({ planned, fired }) => ({ name: planned.fault.name, fired: fired.count > 0 })),
    invariants: invariants.map(({ name, ok }) => ({ name, ok })),
    broken: invariants.flatMap(({ name, broken }) => (broken ? [name] : [])),
  }
}

/** Whether all that was wanted has happened and nothing broke. */
export const isGood = ({ faults, broken }: ChaosReport): boolean =>
  broken.length === 0 && faults.length > 0 && faults.every(({ fired }) => fired)

/** One round for people, as soon as it is over. */
export function renderRound({ planned, fired, verdicts, sellingAgainS, terminalS }: Judged): string {
  const { fault, injectAtS, lastsS } = planned
  const broken = verdicts.filter(({ result }) => result === 'broken')
  const verdict = broken.length === 0 ? 'all held' : `BROKEN: ${broken.map(({ name }) => name).join(', ')}`
  return [
    `${fault.name} (${fault.component}: ${fault.does}), after ${injectAtS.toFixed(1)} s for ${lastsS.toFixed(1)} s`,
    `  ${fired.count > 0 ? 'fired' : 'NOT FIRED'}: ${fired.count} ${fired.of}`,
    `  sold again ${seconds(sellingAgainS)} after it was healed, all of before decided after ${seconds(terminalS)}`,
    `  ${verdict}`,
    ...broken.flatMap(({ name, violations }) => [
      ...violations.slice(0, 5).map((violation) => `    ${name}: ${violation}`),
      ...(violations.length > 5 ? [`    ${name}: ${violations.length} in all`] : []),
    ]),
  ].join('\n')
}

const seconds = (value: number | undefined) => (value === undefined ? 'never' : `${value.toFixed(2)} s`)

/** The whole run for people. */
export function renderReport(report: ChaosReport): string {
  const { seed, faults, invariants, broken } = report
  const silent = faults.filter(({ fired }) => !fired)
  const unseen = invariants.filter(({ name, ok }) => !ok && !broken.includes(name))
  return [
    '',
    `${faults.length} faults, ${faults.length - silent.length} fired (--seed ${seed})`,
    ...(silent.length > 0 ? [`  not fired: ${silent.map(({ name }) => name).join(', ')}`] : []),
    ...(unseen.length > 0 ? [`  nothing to look at: ${unseen.map(({ name }) => name).join(', ')}`] : []),
    broken.length === 0 ? '  All invariants held.' : `  BROKEN: ${broken.join(', ')}`,
  ].join('\n')
}
