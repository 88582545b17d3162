import { readRushOptions } from './options.ts'

type Values = Parameters<typeof readRushOptions>[0]

/** `rush`, with `--simulate` or without. Resolves with the exit code; throws SettingError. */
export async function rushCommand(values: Values, dataDir: string, signal: AbortSignal): Promise<number> {
  if (values['simulate'] === true) {
    const { readStampedeOptions, stampede } = await import('./stampede/stampede.ts')
    return stampede(readStampedeOptions(values, dataDir), signal)
  }
  const { rush } = await import('./rush.ts')
  return rush(readRushOptions(values, dataDir), signal)
}
