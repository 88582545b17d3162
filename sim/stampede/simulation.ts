import { SettingError } from '../../src/platform/errors.ts'
import { createBehaviour } from './behaviour.ts'
import { createCheckout } from './checkout.ts'
import { createLine, EDGES, STEP_MS } from './line.ts'
import { Broken, newSecond, type Second } from './measures.ts'
import type { StampedeOptions } from './options.ts'
import { beyondRate } from './statistics.ts'
import { ITEM, OPENS_AT, SALE, startSystem } from './system.ts'

export type Run = Awaited<ReturnType<typeof simulateStampede>>

/** A sale that goes on for so long, in virtual seconds after everybody has come, is stuck. */
const LONGEST_S = 86_400

/**
 * One sale from the first arrival to the last order, in virtual time: the crowd is a function of the seed, waiting room and
 * inventory are the real ones. `tell` hears of every virtual second. Throws SettingError when `signal` is aborted.
 */
export async function simulateStampede(
  options: StampedeOptions,
  tell: (second: Second, arrived: number) => void = () => undefined,
  signal?: AbortSignal,
) {
  const began = performance.now()
  const cpuBegan = process.cpuUsage()
  const behaviour = createBehaviour(options)
  const startMs = Math.floor(behaviour.arrivalMs(0) / 1000) * 1000 - 1000
  const system = await startSystem(options, OPENS_AT + startMs)
  try {
    const broken = new Broken()
    const checkout = createCheckout({ system, behaviour, broken })
    const { buyers, units } = options
    const line = createLine({ system, behaviour, buyers, startMs, broken, admit: checkout.admit })
    const seconds: Second[] = []
    const redis = { begun: 0, most: 0 }
    let [arrived, rss, deepest, checked, serving] = [0, 0, 0, 0, 0]

    const close = async (second: Second) => {
      const [stock, state, memory] = await Promise.all([
        system.inventory.stock(ITEM),
        system.waitingRoom.line(SALE),
        system.memory(),
      ])
      if (stock === undefined || state === undefined) throw new Error('the sale is gone')
      const { available, held, sold } = stock
      Object.assign(second, {
        available,
        held,
        sold,
        waiting: line.waiting,
        depth: state.tail - state.serving,
      })
      arrived += second.arrived
      deepest = Math.max(deepest, second.waiting)
      // The table of recent joins, whose size is fixed, is there with the first of them.
      if (redis.begun === 0 && arrived > 0) redis.begun = memory
      redis.most = Math.max(redis.most, memory)
      rss = Math.max(rss, process.memoryUsage.rss())
      const adds = available + held + sold === units && Math.min(available, held, sold) >= 0
      broken.expect(adds, 'stock', () => `${second.at} s: ${available} + ${held} + ${sold} of ${units}`)
      broken.expect(state.serving >= serving, 'turn', () => `${second.at} s: the line went back`)
      serving = state.serving
      for (; checked < line.admissions.length; checked += 1) {
        const place = line.admissions[checked]?.place ?? 0
        broken.expect(place <= serving, 'turn', () => `${place} was let in, ${serving} was served afterwards`)
      }
      broken.expect(
        state.tail === line.places(),
        'places',
        () => `${line.places()} given, ${state.tail} kept`,
      )
      tell(second, arrived)
    }

    for (let step = 0, second = newSecond(startMs / 1000); ; step += 1) {
      await system.advance(OPENS_AT + startMs + step * STEP_MS)
      if (step % EDGES === 0) {
        second = newSecond((startMs + step * STEP_MS) / 1000)
        seconds.push(second)
        await system.waitingRoom.keep(SALE)
        await checkout.lapse()
      }
      if (signal?.aborted) throw new SettingError('Cut short: there is no report')
      await line.step(step, second)
      await checkout.step(step, second)
      if (step % EDGES !== EDGES - 1) continue
      await close(second)
      if (line.over && checkout.over) break
      if (second.at > options.spread + LONGEST_S)
        throw new Error(`the sale never ends (--seed ${options.seed})`)
    }

    await checkout.judge()
    line.overtaking.judge()
    const owners = checkout.buyers()
    broken.expect(owners.length <= units, 'stock', () => `${owners.length} of ${units} are paid`)
    const admitted = line.admissions.map(({ at }) => at)
    const beyond = beyondRate(admitted, options.rate, 0)
    broken.expect(beyond === 0, 'rate', () => `${beyond} of ${admitted.length} were let in beyond the rate`)
    return {
      ...{ options, seconds, owners, broken, deepest },
      admissions: line.admissions,
      outcomes: checkout.outcomes,
      events: line.events + Object.values(checkout.outcomes).reduce((sum, count) => sum + count, 0),
      joined: line.places(),
      answers: line.answers(),
      calls: { ...system.calls },
      bots: { joins: botsAmong(buyers, behaviour.isBot), isBot: behaviour.isBot },
      memory: { redisBegun: redis.begun, redisMost: redis.most, rss },
      wallS: (performance.now() - began) / 1000,
      cpuS: { process: cpuSince(cpuBegan), redis: await system.cpuS() },
    }
  } finally {
    await system.stop()
  }
}

function cpuSince(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1e6
}

function botsAmong(buyers: number, isBot: (visitor: number) => boolean): number {
  let count = 0
  for (let visitor = 0; visitor < buyers; visitor += 1) if (isBot(visitor)) count += 1
  return count
}
