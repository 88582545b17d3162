import { SettingError } from '../../src/platform/errors.ts'
import type { ScaleOptions } from './options.ts'
import { renderReport, reportOf, type ScaleResult } from './report.ts'

export interface ScaleParts {
  readonly say: (text: string) => void
  readonly signal: AbortSignal
}

type Run = (options: ScaleOptions, parts: ScaleParts) => Promise<ScaleResult>

/** What can be grown and shrunk, and the file that does it. */
const PARTS: Readonly<Record<string, () => Promise<Run>>> = {
  kafka: async () => (await import('./kafka.ts')).scaleKafka,
  shards: async () => (await import('./shards.ts')).scaleShards,
  redis: async () => (await import('./redis.ts')).scaleRedis,
}

/** Resolves with the exit code: 0 when all that could be checked held, 1 otherwise. Throws SettingError. */
export async function scale(what: string, options: ScaleOptions, signal: AbortSignal): Promise<number> {
  const part = PARTS[what]
  if (part === undefined)
    throw new SettingError(`scale: expected one of ${Object.keys(PARTS).join(', ')}, not ${what}`)
  const say = options.json ? console.error : console.log
  const run = await part()
  const result = await run(options, { say, signal })
  const report = reportOf({ what, ...options }, result)
  say(renderReport(report, result.verdicts))
  if (options.json) console.log(JSON.stringify(report))
  return report.broken.length === 0 ? 0 : 1
}
