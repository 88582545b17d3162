import { type Cluster, startCleanup, startRelay, startWeb, startWorker, type Web } from './cluster.ts'
import type { Node } from './node.ts'
import { type FaultName, TROUBLE_MS } from './setting.ts'

/** The processes that run now; each name has one life after the other. */
export class Processes {
  readonly webs = new Map<string, Web>()
  private readonly others = new Map<string, Node>()
  private readonly cluster: Cluster
  private readonly starters = new Map<string, () => void>()

  constructor(cluster: Cluster) {
    this.cluster = cluster
    const { setting } = cluster
    const count = (role: string, many: number, start: (name: string) => void) => {
      for (let number = 1; number <= many; number += 1) {
        const name = `${role}-${number}`
        this.starters.set(name, () => start(name))
        start(name)
      }
    }
    count('web', setting.webs, (name) => this.webs.set(name, startWeb(cluster, name)))
    const other = (start: (cluster: Cluster, name: string) => Node) => (name: string) =>
      this.others.set(name, start(cluster, name))
    count('worker', setting.workers, other(startWorker))
    count('cleanup', setting.cleanups, other(startCleanup))
    if (setting.profile === 'full') count('relay', 1, other(startRelay))
  }

  get names(): string[] {
    return [...this.starters.keys()]
  }

  node(name: string): Node {
    const node = this.webs.get(name)?.node ?? this.others.get(name)
    if (node === undefined) throw new Error(`no process ${name}`)
    return node
  }

  kill(name: string): void {
    const node = this.node(name)
    if (!node.alive) return
    node.kill()
    this.cluster.world.after(this.cluster.world.between(100, 4000), () => this.revive(name))
  }

  revive(name: string): void {
    if (this.node(name).alive) return
    this.cluster.world.note(name, () => 'starts again')
    this.starters.get(name)?.()
  }
}

/** Draws the faults of this seed, and has each happen at its time. The world counts them. */
export function plan(cluster: Cluster, processes: Processes): void {
  const { world, setting } = cluster
  if (setting.faults.length === 0) return
  for (let number = 0; number < setting.faultCount; number += 1) {
    const fault = world.pick(setting.faults)
    // Half of them while most buyers claim.
    world.after(world.between(500, world.pick([6000, TROUBLE_MS])), () => {
      world.note('fault', () => fault)
      world.count(`fault: ${fault}`)
      strike(fault, cluster, processes)
    })
  }
}

function strike(fault: FaultName, cluster: Cluster, processes: Processes): void {
  const { world, setting } = cluster
  const anyOf = (role: string) => world.pick(processes.names.filter((name) => name.startsWith(role)))
  switch (fault) {
    case 'web killed':
      return processes.kill(anyOf('web'))
    case 'worker killed':
      return processes.kill(anyOf(world.chance(0.3) && setting.profile === 'full' ? 'relay' : 'worker'))
    case 'cleanup killed':
      return processes.kill(anyOf('cleanup'))
    case 'process frozen':
      processes.node(anyOf('')).thawsAt = world.time + world.between(1000, 15_000)
      return
    case 'clock jumped':
      processes.node(anyOf('')).clockOff = world.between(-60_000, 60_000)
      return
    case 'redis crashed':
      return down(cluster, cluster.redis, () => cluster.redis.model.restart(forgotten(cluster)))
    case 'sql crashed': {
      const database = world.pick(cluster.databases)
      return down(cluster, database, () => database.model.restart())
    }
    case 'kafka crashed':
      return down(cluster, cluster.kafka, () => cluster.kafka.model.crash(world.between(0, 3)))
    case 'provider away':
      return down(cluster, world.pick(cluster.providers), () => undefined)
  }
}

function forgotten({ world, setting, redis }: Cluster): number {
  const { written } = redis.model
  if (setting.durability === 'nothing lost') return 0
  const lost = setting.durability === 'tail lost' ? world.between(0, Math.min(written, 20)) : written
  if (lost > 0) world.count('redis lost writes')
  return lost
}

function down(
  { world }: Cluster,
  server: { up: boolean; life: number; name: string },
  restart: () => void,
): void {
  if (!server.up) return
  server.up = false
  server.life += 1
  restart()
  world.after(world.between(50, 5000), () => {
    server.up = true
    world.note('fault', () => `${server.name} is back`)
  })
}

/** Nothing is broken any more from here on, and what was comes back. */
export function heal(cluster: Cluster, processes: Processes): void {
  cluster.world.healed = true
  cluster.world.note('fault', () => 'everything heals')
  for (const name of processes.names) {
    processes.revive(name)
    const node = processes.node(name)
    node.thawsAt = 0
    node.clockOff = 0
  }
}
