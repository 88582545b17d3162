import { SettingError } from './errors.ts'

/** EX_CONFIG of sysexits.h: started again, such a process would end the same way. */
export const EXIT_SETTING = 78

/** A Ctrl-C may arrive twice at once: from the terminal, and again from npm. Later it means "now!". */
const SAME_SIGNAL_MS = 1000

/**
 * Aborted by SIGTERM, by SIGINT, and when the supervisor that started this process is gone (it holds the
 * other end of an IPC channel). Another signal a second later ends the process at once, with code 1.
 */
export function untilSignal(): AbortSignal {
  const controller = new AbortController()
  let since = 0
  const stop = () => {
    if (controller.signal.aborted && performance.now() - since > SAME_SIGNAL_MS) process.exit(1)
    if (controller.signal.aborted) return
    since = performance.now()
    controller.abort()
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  if (process.send !== undefined) process.once('disconnect', () => controller.abort())
  return controller.signal
}

/** Resolves when `signal` is aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** The answer of `work`, or undefined as soon as `signal` is aborted: then nobody cares how it ends. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  work.catch(() => undefined)
  return (await Promise.race([work, untilAborted(signal)])) ?? undefined
}

/**
 * Runs a process to its end and exits: 0 when `main` returns; `settingExit` with one line on stderr for a
 * SettingError; 1 with a logged stack for anything else. `main` returns once `signal` is aborted and
 * everything under way is done.
 */
export async function runProcess(
  main: (signal: AbortSignal) => Promise<void>,
  { settingExit = EXIT_SETTING }: { settingExit?: number } = {},
): Promise<never> {
  process.on('uncaughtException', (error) => exitWithStack(error))
  process.on('unhandledRejection', (error) => exitWithStack(error))
  try {
    await main(untilSignal())
  } catch (error) {
    if (!(error instanceof SettingError)) return exitWithStack(error)
    process.stderr.write(`${error.message}\n`)
    process.exit(settingExit)
  }
  process.exit()
}

/** One JSON line in the form of our other logs (pino's), so that whoever collects them keeps the stack. */
function exitWithStack(reason: unknown): never {
  const error = reason instanceof Error ? reason : new Error(String(reason))
  const cause = error.cause instanceof Error ? `\n  caused by ${error.cause.stack}` : ''
  const err = { type: error.name, message: error.message, stack: `${error.stack}${cause}` }
  process.stdout.write(`${JSON.stringify({ level: 60, time: Date.now(), err, msg: error.message })}\n`)
  process.exit(1)
}
