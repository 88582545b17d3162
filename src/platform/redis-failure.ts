/** How a command failed: `refused` before it did anything, or `unknown`, with its answer lost. */
export type RedisFailure = 'refused' | 'unknown'

/** The command was not sent: the server does not answer what it was sent before. */
export class RedisSilent extends Error {
  override readonly name = 'RedisSilent'
}

// A script meets these at its first write or earlier: once it has written, Redis lets it finish.
const REFUSED =
  /^(OOM|MISCONF|READONLY|NOREPLICAS|LOADING|MASTERDOWN|CLUSTERDOWN|MOVED|ASK|TRYAGAIN|BUSY|NOAUTH|NOPERM)\b/
const LOST =
  /^(Command timed out|Connection is closed|Command aborted|Reached the max retries|Socket timeout)/

/** Tells what an error of a command means for its outcome; undefined for any other error, such as a bug in a script. */
export function failureOf(error: unknown): RedisFailure | undefined {
  if (!(error instanceof Error)) return undefined
  if (error instanceof RedisSilent) return 'refused'
  if (error.name === 'ReplyError') return REFUSED.test(error.message) ? 'refused' : undefined
  if (error.message.startsWith("Stream isn't writeable")) return 'refused'
  return LOST.test(error.message) ? 'unknown' : undefined
}
