import { spawnSync } from 'node:child_process'
import { SettingError } from '../../src/platform/errors.ts'
import type { Fault } from './fault.ts'
import { COMPOUND } from './faults/compound.ts'
import { FREEZES } from './faults/freezes.ts'
import { CLOCKS } from './faults/clocks.ts'
import { KILLS } from './faults/kills.ts'
import { NETWORK } from './faults/network.ts'
import { OPERATORS } from './faults/operators.ts'
import { PROVIDER } from './faults/provider.ts'
import { REDIS_DATA } from './faults/redis-data.ts'
import { REDIS_DISK } from './faults/redis-disk.ts'

/** Every fault there is; each file of `faults/` is a family. */
export const FAULTS: readonly Fault[] = [
  ...KILLS,
  ...COMPOUND,
  ...FREEZES,
  ...NETWORK,
  ...PROVIDER,
  ...REDIS_DATA,
  ...REDIS_DISK,
  ...CLOCKS,
  ...OPERATORS,
]

export interface Able {
  readonly profile: 'embedded' | 'full'
  /** May mount file systems. */
  readonly root: boolean
}

export const thisMachine = (profile: Able['profile']): Able => ({
  profile,
  root: process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('mount', ['-V']).status === 0,
})

const possible = ({ needs }: Fault, able: Able) =>
  needs === undefined || (needs === 'full' ? able.profile === 'full' : able.root)

export interface Choice {
  readonly faults: readonly Fault[]
  /** Of `all`, what can not be done here. */
  readonly leftOut: readonly Fault[]
}

/** `all`, or names separated by commas. Throws SettingError for a name there is not, or that can not be done here. */
export function chooseFaults(names: string, able: Able): Choice {
  if (names === 'all') {
    const faults = FAULTS.filter((fault) => possible(fault, able))
    return { faults, leftOut: FAULTS.filter((fault) => !possible(fault, able)) }
  }
  const wanted = new Set(names.split(',').map((name) => name.trim()))
  const faults = [...wanted].map((name) => {
    const fault = FAULTS.find((one) => one.name === name)
    if (fault === undefined) throw new SettingError(`--faults: there is no ${name}; --list tells all`)
    if (!possible(fault, able))
      throw new SettingError(
        fault.needs === 'full'
          ? `--faults: ${name} needs --profile full`
          : `--faults: ${name} mounts a file system and needs root on Linux`,
      )
    return fault
  })
  return { faults, leftOut: [] }
}

/** What `--list` prints. */
export function listFaults(): string {
  const width = Math.max(...FAULTS.map(({ name }) => name.length))
  return FAULTS.map(({ name, component, does, needs }) => {
    const only = needs === undefined ? '' : needs === 'full' ? ' (--profile full)' : ' (root)'
    return `${name.padEnd(width)}  ${component}: ${does}${only}`
  }).join('\n')
}
