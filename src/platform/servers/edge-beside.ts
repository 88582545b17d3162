import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { systemClock } from '../clock.ts'
import type { Env } from '../config.ts'
import { SettingError } from '../errors.ts'
import { type Child, keepRunning } from './child.ts'
import { lockDataDir, readRunFile, type RunFile } from './data-dir.ts'
import { freePort, portIsFree } from './ports.ts'
import { untilAborted } from '../shutdown.ts'
import { processSettings, publicUrls } from './process-settings.ts'
import { untilReady } from './readiness.ts'

export interface EdgeBesideOptions {
  /** Of the system that runs already. */
  readonly dataDir: string
  readonly port: number
  /** As that system has it. */
  readonly env: Env
  /** The file of a role. */
  readonly processFile: (role: string) => string
  readonly print: (line: string) => void
}

/**
 * A second door to a system that runs: an edge, and behind it a web process of its own on the same Redis and databases.
 * Pages, cookies and checks of the origin go by the address a visitor writes, and that of the first door is another.
 * Returns when `signal` is aborted; throws SettingError where nothing runs, or when it is stopped.
 */
export async function edgeBeside(options: EdgeBesideOptions, signal: AbortSignal): Promise<void> {
  const { port, env, print } = options
  const dataDir = resolve(options.dataDir)
  const first = readRunFile(dataDir)
  if (first === undefined)
    throw new SettingError('Doorbuster is not running here: start it with `npm start`, then try again')
  if (!(await portIsFree(port))) throw new SettingError(`Port ${port} is taken; choose another with --port`)

  const folder = join(dataDir, 'edge-beside')
  const unlock = await lockDataDir(folder, port)
  const children: Child[] = []
  try {
    await mkdir(join(folder, 'logs'), { recursive: true, mode: 0o700 })
    const run: RunFile = {
      ...first,
      port: await freePort(),
      edge_port: port,
      health_ports: [], // behind this door there is one
      trusted_proxies: 1,
      urls: { ...first.urls, ...publicUrls({}, port) },
    }
    const settings = { ...processSettings(run, env, dataDir), EDGE_ORIGINS: `127.0.0.1:${run.port}` }
    const over = new AbortController()
    for (const name of ['web', 'edge'])
      children.push(
        keepRunning({
          name,
          file: options.processFile(name),
          // Its files are beside those of another edge.
          env: name === 'edge' ? { ...settings, DATA_DIR: folder } : settings,
          dataDir: folder,
          print,
          onStart: () => undefined,
          onBadSetting: (message) => over.abort(new SettingError(message)),
        }),
      )
    const ended = AbortSignal.any([signal, over.signal])
    void whileItRuns(dataDir, first, ended).then((end) => over.abort(end))
    await untilReady(run, ended)
    if (!ended.aborted) print(screen(run, folder))
    await untilAborted(ended)
    if (!signal.aborted) throw over.signal.reason
  } finally {
    for (const child of children) await child.stop(1500)
    unlock()
  }
}

/** Resolves once the system that was there first is gone, with what to say then. */
async function whileItRuns(dataDir: string, first: RunFile, ended: AbortSignal): Promise<SettingError> {
  while (!ended.aborted && readRunFile(dataDir)?.pid === first.pid) await systemClock.sleep(300, ended)
  return new SettingError('Doorbuster was stopped, and so is the edge in front of it')
}

function screen({ urls }: RunFile, folder: string): string {
  return [
    '',
    'The edge is in front of what runs here, with a web process of its own.',
    '',
    `  Shop            ${urls.shop}/`,
    `  Waiting room    ${urls.queue}/`,
    `  Operator        ${urls.ops}/`,
    '',
    `  What it answered and from where is in ${join(folder, 'edge', 'access.log')}. Ctrl-C stops it.`,
    '',
  ].join('\n')
}
