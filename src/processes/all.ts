import { environment } from '../platform/config.ts'
import { projectPath } from '../platform/project.ts'
import { supervise, type SupervisorOptions } from '../platform/servers/supervisor.ts'
import { runProcess } from '../platform/shutdown.ts'

export interface StartOptions extends Omit<SupervisorOptions, 'env' | 'processFile' | 'onReady'> {
  /** Seconds until the demo sale opens. */
  readonly opensInS: number
}

/** Everything on this machine: the servers, and each of our processes beside this file. */
export function all(options: StartOptions): Promise<never> {
  const processFile = (role: string) => projectPath(`src/processes/${role}.ts`)
  const everything = { ...options, env: environment(), processFile }
  return runProcess((signal) => supervise(everything, signal), { settingExit: 1 })
}
