import { type Command, InvalidArgumentError, Option } from 'commander'
import { projectPath } from './project.ts'
import { runProcess } from './shutdown.ts'

// What the commands of src/doorbuster.ts have in common.

export const dataDir = () =>
  new Option('--data-dir <folder>', 'where everything is kept')
    .default(projectPath('.data'), '.data')
    .env('DATA_DIR')

interface Described<Usage extends string> {
  readonly usage: Usage
  readonly description: string
  readonly flags: readonly (readonly [flag: string, help: string, fallback?: string])[]
}

/** Commands below `parent`; `given`: what commander hands over, the arguments and then the options. */
export function addAll<Usage extends string>(
  parent: Command,
  commands: readonly Described<Usage>[],
  carryOut: (usage: Usage, given: readonly unknown[]) => Promise<void>,
): void {
  for (const { usage, description, flags } of commands) {
    const one = parent.command(usage).description(description).addOption(dataDir())
    for (const [flag, help, fallback] of flags) one.option(flag, help, fallback)
    one.action((...given: unknown[]) => command(() => carryOut(usage, given)))
  }
}

/** A command that ends: exit code 1 and one line where the operator can put something right. */
export function command(run: (signal: AbortSignal) => Promise<void>): Promise<never> {
  return runProcess(run, { settingExit: 1 })
}

export function print(line: string): void {
  console.log(line)
}

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (!/^\d+$/.test(text) || number < least || number > most)
      throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`)
    return number
  }
}
