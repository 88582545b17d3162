import { environment } from '../platform/config.ts'
import { projectPath } from '../platform/project.ts'
import { edgeBeside as start, type EdgeBesideOptions } from '../platform/servers/edge-beside.ts'

type Options = Omit<EdgeBesideOptions, 'env' | 'processFile'>

/** An edge beside what runs in a data folder, until `signal` is aborted. */
export const edgeBeside = (options: Options, signal: AbortSignal): Promise<void> =>
  start(
    { ...options, env: environment(), processFile: (role) => projectPath(`src/processes/${role}.ts`) },
    signal,
  )
