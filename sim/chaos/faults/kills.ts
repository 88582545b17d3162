import { isRunning } from '../../../src/platform/servers/os-process.ts'
import { now, sleep } from '../../clock.ts'
import type { Fault, Injected } from '../fault.ts'
import { between } from '../plan.ts'
import { killFamily } from '../processes.ts'
import type { Random } from '../../random.ts'
import type { Server } from '../servers.ts'
import type { Role, World } from '../world.ts'

const TIMES = 3
const RESTART_MS = 15_000

/** The pid of a role's process that is not `last`. */
async function nextPid(world: World, role: Role, last: number | undefined): Promise<number | undefined> {
  for (const until = now() + RESTART_MS; now() < until; await sleep(20)) {
    const pid = world.pid(role)
    if (pid !== undefined && pid !== last && isRunning(pid)) return pid
  }
  return undefined
}

/** kill -9 of one of our processes, three times, each some time after the supervisor has started it again. */
export async function killRole(
  world: World,
  random: Random,
  role: Role,
  gapMs: readonly [number, number] = [700, 1500],
): Promise<Injected> {
  let died = 0
  const killing = (async () => {
    let last: number | undefined
    for (let time = 0; time < TIMES; time++) {
      const pid = await nextPid(world, role, last)
      if (pid === undefined) return
      if (time > 0) await sleep(between(random, gapMs))
      if (await killFamily(pid)) died++
      last = pid
    }
    await nextPid(world, role, last)
  })()
  return {
    heal: () => killing,
    evidence: () => ({ count: died, of: `deaths of ${role}` }),
  }
}

/** kill -9 of servers that come back by their own supervisor, which is us. */
export async function killServers(servers: readonly Server[]): Promise<Injected> {
  let died = 0
  for (const server of servers) if (await server.kill()) died++
  return {
    heal: async () => void (await Promise.all(servers.map((server) => server.start()))),
    evidence: () => ({ count: died, of: `deaths of ${servers.map(({ name }) => name).join(', ')}` }),
  }
}

const role = (name: Role, expected: string, needs?: 'full'): Fault => ({
  name: `${name}-kill`,
  component: name,
  does: `kill -9, ${TIMES} times`,
  expected,
  ...(needs === undefined ? {} : { needs }),
  lasts: [1, 2],
  inject: (world, random) => killRole(world, random, name),
})

const kafkaOf = ({ kafka }: World): readonly Server[] => (kafka === undefined ? [] : [kafka])

export const KILLS: readonly Fault[] = [
  role('web', 'buyers ask again with the same key and are told the truth'),
  role('order-worker', 'events stay in the outbox until SQL has them: no order lost, none twice'),
  role('cleanup', 'units come back once, a little later'),
  role('relay', 'events twice in Kafka at most, one order each', 'full'),
  role('sandbox', 'payments are tried again, nobody is charged twice'),
  {
    name: 'redis-kill',
    component: 'Redis',
    does: 'kill -9 at the peak, down for 0.5 to 2 s',
    expected: 'no acknowledged claim lost, fenced until checked, then sells on',
    lasts: [0.5, 2],
    inject: ({ redis }) => killServers([redis]),
  },
  {
    name: 'postgres-kill',
    component: 'PostgreSQL',
    does: 'kill -9 of both servers, down for 1 to 3 s',
    expected: 'claims go on, orders follow from the outbox',
    lasts: [1, 3],
    inject: ({ postgres }) => killServers(postgres),
  },
  {
    name: 'shard-kill',
    component: 'PostgreSQL',
    does: 'kill -9 of the second shard alone, down for 6 to 8 s',
    expected: 'buyers of the first shard notice nothing',
    lasts: [6, 8],
    inject: ({ postgres }) => killServers(postgres.slice(1)),
  },
  {
    name: 'kafka-kill',
    component: 'Kafka',
    does: 'kill -9 of the broker, down for 3 to 6 s',
    expected: 'the backlog waits in the outbox; hold clocks go on',
    needs: 'full',
    lasts: [3, 6],
    inject: (world) => killServers(kafkaOf(world)),
  },
]
