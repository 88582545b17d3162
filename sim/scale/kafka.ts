import { join } from 'node:path'
import { TOPICS, WORKERS } from '../../src/flow/events/events.ts'
import { SettingError } from '../../src/platform/errors.ts'
import { type GroupState, groupState } from '../../src/platform/kafka-progress.ts'
import { projectPath } from '../../src/platform/project.ts'
import { type KafkaServer, startKafka } from '../../src/platform/servers/kafka.ts'
import type { KafkaNode } from '../../src/platform/servers/kafka-node.ts'
import { signalProcess } from '../../src/platform/servers/os-process.ts'
import { now, sleep } from '../clock.ts'
import type { ScaleOptions } from './options.ts'
import type { Finding, ScaleResult } from './report.ts'
import { type Do, rushWhile } from './rush.ts'
import type { ScaleParts } from './scale.ts'
import { openFolder, removeFolder, startSystem, type System } from './system.ts'

/** Order workers beside the one that the supervisor runs. */
const MORE = ['order-worker-2', 'order-worker-3'] as const
const WAIT_MS = 60_000
/** Its partitions are the others' by then: a session, which would have to run out first, takes longer. */
const LEAVES_WITHIN_MS = 5000

/**
 * The full profile on three brokers. While a crowd buys, two order workers join the first, a broker and a worker are killed at
 * once, the broker comes back, and a worker is told to go; then the auditor looks. `given`: brokers that run already.
 */
export async function scaleKafka(
  options: ScaleOptions,
  { say, signal }: ScaleParts,
  given?: KafkaServer,
): Promise<ScaleResult> {
  const dataDir = await openFolder('kafka')
  let started: KafkaServer | undefined
  let system: System | undefined
  const killBrokers = () => started?.nodes.forEach(({ pid }) => signalProcess(pid, 'SIGKILL'))
  process.once('exit', killBrokers)
  try {
    say(`Starting three Kafka brokers and the system in ${dataDir}`)
    const jarsDir = projectPath('.data/kafka/libs')
    const kafka =
      given ??
      (started = await startKafka({ dataDir: join(dataDir, 'brokers'), nodes: 3, jarsDir, log: say }))
    system = await startSystem('full', dataDir, { KAFKA_BROKERS: kafka.brokers.join() })
    return await run(options, { say, signal }, kafka, system)
  } finally {
    await system?.stop()
    // Their data go as well: nothing has to be handed over.
    await Promise.all((started?.nodes ?? []).map((node) => node.kill()))
    process.removeListener('exit', killBrokers)
    if (options.keep) say(`Data and logs are kept in ${dataDir}`)
    else await removeFolder(dataDir)
  }
}

async function run(
  options: ScaleOptions,
  { say, signal }: ScaleParts,
  { brokers, nodes }: KafkaServer,
  system: System,
): Promise<ScaleResult> {
  const cluster = { brokers, clientId: 'scale' }
  /** Undefined while the cluster can not tell. */
  const look = () => groupState(cluster, WORKERS, TOPICS.orders).catch(() => undefined)
  const until = async (what: string, is: (state: GroupState) => boolean) => {
    for (const deadline = now() + WAIT_MS; ; await sleep(100)) {
      if (signal.aborted) throw new SettingError('Stopped before it was done')
      const state = await look()
      if (state !== undefined && is(state)) return state
      if (now() > deadline)
        throw new Error(`Waited ${WAIT_MS / 1000} s for ${what}: ${JSON.stringify(state ?? 'no answer')}`)
    }
  }
  const shared = (workers: number) => (state: GroupState) =>
    state.members.length === workers && state.members.every(({ partitions }) => partitions.length > 0)
  const [doomed] = nodes
  const findings: Finding[] = []

  const meanwhile = async (step: Do) => {
    await until('the first worker', shared(1))
    const others = await step('two workers join the first', async () => {
      const started = MORE.map((name) => system.more('order-worker', name))
      const { members } = await until('three workers', shared(3))
      findings.push({ name: 'work_shared', ...sharesOf(members) })
      return started
    })
    await step(`broker ${doomed.id} and a worker are killed, the others take over`, async () => {
      const pid = others[1]?.pid()
      // For good: whoever would start it again is told not to, in the same moment.
      const gone = others[1]?.stop(0)
      if (pid !== undefined) signalProcess(pid, 'SIGKILL')
      await Promise.all([gone, doomed.kill()])
      await until(
        'two workers and new leaders',
        (state) => shared(2)(state) && state.partitions.every((one) => isLedByOthers(one, doomed)),
      )
    })
    await step(`broker ${doomed.id} comes back and has everything again`, async () => {
      await doomed.start()
      await until('copies in sync', ({ partitions }) =>
        partitions.every(({ inSync, copies }) => inSync === copies),
      )
    })
    const asked = now()
    await step('a worker is told to go, the first has all partitions', async () => {
      await others[0]?.stop(5000)
      await until('one worker', shared(1))
    })
    const ms = Math.round(now() - asked)
    findings.push({ name: 'leaves_at_once', ok: ms <= LEAVES_WITHIN_MS, saw: `${ms} ms` })
  }

  const { steps, evidence, verdicts } = await rushWhile(system.target, options, say, meanwhile, signal)
  // With something away: the first step begins and the last ends with all there.
  const sold = steps.slice(1, -1).reduce((sum, { orders }) => sum + orders, 0)
  findings.push({
    name: 'sold_meanwhile',
    ok: sold > 0,
    saw: `${sold} orders reached SQL while a broker or a worker was away`,
  })
  const end = await until('no lag', ({ partitions }) => partitions.every(({ behind }) => behind === 0))
  const copies = Math.min(...end.partitions.map((one) => one.inSync))
  findings.push({
    name: 'nothing_behind',
    ok: copies === nodes.length,
    saw: `lag 0 on ${end.partitions.length} partitions, ${copies} copies of each in sync, ${evidence.orders.length} orders`,
  })
  return { steps, findings, verdicts }
}

const isLedByOthers = ({ leader, inSync }: GroupState['partitions'][number], without: KafkaNode): boolean =>
  leader !== without.id && leader >= 0 && inSync >= 2

function sharesOf(members: GroupState['members']) {
  const shares = members.map(({ partitions }) => partitions.length)
  const saw = members.map(({ name, partitions }) => `${name} has ${partitions.join(' and ')}`).join('; ')
  return { ok: Math.max(...shares) - Math.min(...shares) <= 1, saw }
}
