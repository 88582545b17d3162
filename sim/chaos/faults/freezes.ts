import type { Fault, Injected } from '../fault.ts'
import { freezeFamily, thawFamily } from '../processes.ts'
import { startOther } from '../others.ts'
import type { Server } from '../servers.ts'
import type { Role, World } from '../world.ts'

/** SIGSTOP, and SIGCONT: a machine that swaps, a hypervisor that looks elsewhere, a long collection of garbage. */

async function freezeServers(servers: readonly Server[]): Promise<Injected> {
  let still = 0
  for (const server of servers) still += await server.freeze()
  return {
    heal: async () => servers.forEach((server) => server.thaw()),
    evidence: () => ({ count: still, of: 'processes stood still' }),
  }
}

async function freezeRole(world: World, role: Role): Promise<Injected> {
  const pid = world.pid(role)
  const still = pid === undefined ? 0 : await freezeFamily(pid)
  return {
    heal: async () => void (pid && thawFamily(pid)),
    evidence: () => ({ count: still, of: 'processes stood still' }),
  }
}

export const FREEZES: readonly Fault[] = [
  {
    name: 'redis-freeze',
    component: 'Redis',
    does: 'SIGSTOP for 10 s',
    expected: 'time-outs with an honest 503, no storm, then sells on',
    lasts: [10, 10],
    inject: ({ redis }) => freezeServers([redis]),
  },
  {
    name: 'postgres-freeze',
    component: 'PostgreSQL',
    does: 'SIGSTOP of both servers for 10 s',
    expected: 'waits are bounded; late payments are refunded, none kept',
    lasts: [10, 10],
    inject: ({ postgres }) => freezeServers(postgres),
  },
  {
    name: 'kafka-freeze',
    component: 'Kafka',
    does: 'SIGSTOP of the broker for 8 s',
    expected: 'the backlog waits in the outbox',
    needs: 'full',
    lasts: [8, 8],
    inject: ({ kafka }) => freezeServers(kafka === undefined ? [] : [kafka]),
  },
  {
    name: 'order-worker-freeze',
    component: 'order-worker',
    does: 'SIGSTOP for 12 s, past its place in the group; another one works on',
    expected: 'the other takes over; what the zombie still writes changes nothing',
    lasts: [12, 12],
    prepare: (world) => startOther(world, 'order-worker'),
    inject: (world) => freezeRole(world, 'order-worker'),
  },
  {
    name: 'cleanup-freeze',
    component: 'cleanup',
    does: 'SIGSTOP for 8 s, longer than a payment window',
    expected: 'units come back late and once',
    lasts: [8, 8],
    inject: (world) => freezeRole(world, 'cleanup'),
  },
  {
    name: 'web-freeze',
    component: 'web',
    does: 'SIGSTOP of one of two for 8 s',
    expected: 'its buyers time out and go on at the other',
    lasts: [8, 8],
    prepare: (world) => startOther(world, 'web'),
    inject: (world) => freezeRole(world, 'web'),
  },
  {
    name: 'sandbox-freeze',
    component: 'payment provider',
    does: 'SIGSTOP for 8 s, longer than a payment window',
    expected: 'orders time out unpaid; what was charged too late is given back',
    lasts: [8, 8],
    inject: (world) => freezeRole(world, 'sandbox'),
  },
]
