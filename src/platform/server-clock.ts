import type { Clock } from './clock.ts'
import type { RedisCommands } from './redis.ts'

/** Clocks that differ by less are as good as one. */
const TOLERANCE_MS = 250
/** An answer that took longer says little about when it was given. */
const SLOWEST_MS = 500
const ASK_EVERY_MS = 5000

/**
 * The time of Redis, as far as a machine whose own clock is set wrong can tell: tokens, windows and limits are then judged
 * alike on every node. The own clock where the two agree. Asks until `signal` is aborted; while nobody answers, what was
 * learned last holds.
 */
export async function followServerClock(
  own: Clock,
  serverTime: () => Promise<number>,
  signal: AbortSignal,
): Promise<Clock> {
  let offset = 0
  const learn = async (slowest: number) => {
    const asked = own.now()
    const server = await serverTime()
    const answered = own.now()
    const found = server - (asked + answered) / 2
    if (answered - asked <= slowest && Math.abs(found - offset) > TOLERANCE_MS) offset = found
  }
  const goOn = async () => {
    for (;;) {
      await own.sleep(ASK_EVERY_MS, signal)
      if (signal.aborted) return
      await learn(SLOWEST_MS).catch(() => undefined)
    }
  }
  await learn(Infinity)
  void goOn()
  return { ...own, now: () => Math.round(own.now() + offset) }
}

/** Milliseconds since the epoch. */
export async function redisTime(commands: RedisCommands): Promise<number> {
  const [seconds, micros] = await commands.time()
  return Number(seconds) * 1000 + Number(micros) / 1000
}
