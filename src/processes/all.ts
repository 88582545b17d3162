import { connectOperator } from '../operator/client.ts'
import { seedDemo } from '../operator/demo.ts'
import { firstAdmin } from '../operator/accounts/first-admin.ts'
import { environment } from '../platform/config.ts'
import { projectPath } from '../platform/project.ts'
import { supervise, type SupervisorOptions } from '../platform/servers/supervisor.ts'
import { runProcess } from '../platform/shutdown.ts'

export interface StartOptions extends Omit<SupervisorOptions, 'env' | 'processFile' | 'onReady'> {
  /** Seconds until the demo sale opens. */
  readonly opensInS: number
}

/** Everything on this machine: the servers, and each of our processes beside this file. */
export function all({ opensInS, ...options }: StartOptions): Promise<never> {
  const everything: SupervisorOptions = {
    ...options,
    env: environment(),
    processFile: (role) => projectPath(`src/processes/${role}.ts`),
    onReady: async ({ port, urls, database_urls }, env) => {
      const operator = connectOperator({ port, opsUrl: urls.ops, token: env['OPS_TOKEN'] ?? '' })
      await seedDemo(operator, Date.now() + opensInS * 1000)
      return firstAdmin(database_urls[0], everything)
    },
  }
  return runProcess((signal) => supervise(everything, signal), { settingExit: 1 })
}
