/** fast-check's seed and replay path: `FC_SEED` (and `FC_PATH`) of a failed run, else a new seed, printed either way. */
export function replaySettings(suite: string): { seed: number; path?: string } {
  const { FC_SEED, FC_PATH } = process.env
  const seed = FC_SEED === undefined ? crypto.getRandomValues(new Int32Array(1))[0] : Number(FC_SEED)
  if (seed === undefined || !Number.isInteger(seed))
    throw new Error(`FC_SEED is not an integer: ${FC_SEED ?? ''}`)
  process.stderr.write(`${suite}: replay with FC_SEED=${seed}\n`)
  return { seed, ...(FC_PATH === undefined ? {} : { path: FC_PATH }) }
}
