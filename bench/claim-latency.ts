/**
 * How long the answer to a claim takes at a given rate, hit or miss, the load generator beside the servers:
 *   npm start, then: node_modules/.bin/bun bench/claim-latency.ts --rate 2000 --seconds 10 [--guard]
 * Open loop: a claim is due at its time whether or not earlier ones were answered, and its latency counts from that
 * time, so a server that stalls can not hide it by slowing the generator down. Half of the claims are for an item
 * with enough units (hits), half for one that is sold out (misses). Passes are fetched before.
 */
import { parseArgs } from 'node:util'
import { codeOf, dressed, fromItsPage, type Shopping, sendToShop } from '../sim/crowd/scene.ts'
import { pay } from '../sim/crowd/paying.ts'
import { honestGuise } from '../sim/crowd/guise.ts'
import { planBuyer } from '../sim/crowd/plan.ts'
import { now, sleep } from '../sim/clock.ts'
import { emptyHistory, percentile } from '../sim/history.ts'
import { fetchPasses, type Holder } from './passes.ts'
import { NO_GUARD } from '../sim/own-sale.ts'
import { findTarget, type SaleInfo, type Target } from '../sim/target.ts'
import { createWireClient, type WireClient } from '../sim/wire/client.ts'
import { SettingError } from '../src/platform/errors.ts'
import { projectPath } from '../src/platform/project.ts'

interface Options {
  readonly rate: number
  readonly seconds: number
  readonly connections: number
  /** Whether the sale counts and limits, each buyer at an address of their own. */
  readonly guard: boolean
}

interface Answer {
  readonly hit: boolean
  /** From the time it was due, in ms. */
  readonly latency: number
  readonly code: string
}

/** Misses use a pass again once the claim before was refused; more passes than claims in flight are enough. */
const MISS_PASSES = 2000
const WARM_UP_S = 2

async function measure(target: Target, options: Options) {
  const { rate, seconds, connections } = options
  const { address, port, hosts } = target
  const client = (to: number) => createWireClient({ address, port: to, connections, timeoutMs: 10_000 })
  const web = client(port)
  const count = Math.round(rate * seconds)
  const warm = Math.round(rate * WARM_UP_S)
  const hits = Math.ceil((count + warm) / 2)
  const sale = await createSale(target, hits + 1, options.guard)
  const { plenty, none } = itemIds(sale.id)

  const guiseOf = (index: number) => (options.guard ? honestGuise(index) : {})
  console.error(`fetching ${hits + MISS_PASSES + 1} passes for sale ${sale.id}`)
  const holders = await fetchPasses(web, hosts, sale.id, hits + MISS_PASSES + 1, guiseOf)
  const buyer = holders.pop()
  if (buyer === undefined) throw new Error('no passes')
  await sellOut(target, web, buyer, none)

  const claim = async (holder: Holder, hit: boolean, key: string, due: number): Promise<Answer> => {
    const answer = await web.send({
      method: 'POST',
      host: hosts.shop,
      path: '/api/claims',
      headers: {
        ...holder.guise,
        ...fromItsPage(holder.cookie),
        Authorization: `Bearer ${holder.pass}`,
        'Idempotency-Key': key,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify({ item_id: hit ? plenty : none, quantity: 1 }),
    })
    const code =
      answer.kind === 'lost' ? `lost (${answer.reason})` : answer.status === 201 ? '201' : codeOf(answer)
    return { hit, latency: answer.answered - due, code }
  }
  const hitters = holders.slice(0, hits)
  const missers = holders.slice(hits)
  let [nextHit, nextMiss] = [0, 0]
  const fire = (index: number, due: number) => {
    const hit = index % 2 === 0
    const holder = hit ? hitters[nextHit++] : missers[nextMiss++ % missers.length]
    return claim(holder as Holder, hit, `bench-claim-${index}`, due)
  }
  console.error(`${rate} claims/s, ${WARM_UP_S} s to warm up, then ${seconds} s`)
  const answers = await openLoop(warm + count, rate, fire)
  web.close()
  return { sale: sale.id, ...options, ...summarise(answers.slice(warm)) }
}

/** Starts job `i` when it is due, `i / rate` seconds from now, and waits for all. */
async function openLoop<T>(count: number, rate: number, fire: (index: number, due: number) => Promise<T>) {
  const started = now() + 100
  const jobs: Promise<T>[] = []
  while (jobs.length < count) {
    const due = () => started + (jobs.length * 1000) / rate
    while (jobs.length < count && due() <= now()) jobs.push(fire(jobs.length, due()))
    await sleep(1)
  }
  return Promise.all(jobs)
}

function summarise(answers: readonly Answer[]) {
  const codes: Record<string, number> = {}
  for (const { code } of answers) codes[code] = (codes[code] ?? 0) + 1
  const of = (some: readonly Answer[]) => {
    const times = some.map((answer) => answer.latency).sort((a, b) => a - b)
    const at = (share: number) => Math.round(percentile(times, share) * 100) / 100
    return { claims: times.length, p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) }
  }
  const hit = answers.filter((answer) => answer.hit)
  const miss = answers.filter((answer) => !answer.hit)
  const wrong = answers.filter(({ hit: wanted, code }) => code !== (wanted ? '201' : 'sold_out')).length
  return { wrong_answers: wrong, codes, latency_ms: { all: of(answers), hit: of(hit), miss: of(miss) } }
}

const itemIds = (sale: string) => ({ plenty: `${sale}-plenty`, none: `${sale}-none` })

async function createSale(target: Target, units: number, guard: boolean): Promise<SaleInfo> {
  const id = `bench-${Date.now().toString(36)}`
  const product = { amount: 4999, currency: 'EUR', per_buyer_limit: 1 }
  return target.createSale({
    id,
    name: 'Claim latency',
    rate_per_second: 1_000_000,
    payment_window_s: 120,
    hold_s: 120,
    pass_s: 900,
    guard: guard ? { proof_of_work: { on: false } } : NO_GUARD,
    reason: 'measures how long a claim takes (bench/claim-latency.ts)',
    products: [
      { ...product, id: itemIds(id).plenty, name: 'Plenty', units },
      { ...product, id: itemIds(id).none, name: 'None left', units: 1 },
    ],
  })
}

/** Buys the only unit of an item, so that it is sold out for good. */
async function sellOut(target: Target, client: WireClient, buyer: Holder, item_id: string) {
  const web = dressed(client, buyer.guise)
  const plan = {
    ...planBuyer({ seed: 1, buyers: 1, spread: 0, pay: 1, products: 1, bots: 0 }, 0),
    declinedFirst: false,
  }
  const scene: Shopping = {
    web,
    hosts: target.hosts,
    over: () => false,
    history: emptyHistory(),
    wallets: new Map(),
    provider: (origin: string) =>
      createWireClient({
        address: target.address,
        port: Number(new URL(origin).port),
        connections: 1,
        timeoutMs: 5000,
      }),
  }
  const browser = { random: plan.random, cookie: buyer.cookie }
  const answer = await sendToShop(scene, browser, {
    method: 'POST',
    path: '/api/claims',
    headers: {
      Authorization: `Bearer ${buyer.pass}`,
      'Idempotency-Key': 'bench-sell-out',
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({ item_id, quantity: 1 }),
  })
  if (answer.kind !== 'answer' || answer.status !== 201) throw new Error('the last unit could not be claimed')
  const { order_id } = JSON.parse(answer.text) as { order_id: string }
  if ((await pay(scene, plan, browser, order_id)) !== 'PAID')
    throw new Error('the last unit could not be paid')
}

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '10' },
    connections: { type: 'string', default: '256' },
    guard: { type: 'boolean', default: false },
    'data-dir': { type: 'string', default: projectPath('.data') },
    json: { type: 'boolean', default: false },
  },
})
try {
  const target = await findTarget(values['data-dir'])
  const result = await measure(target, {
    rate: Number(values.rate),
    seconds: Number(values.seconds),
    connections: Number(values.connections),
    guard: values.guard,
  })
  for (const [kind, { claims, p50, p99, p999, max }] of Object.entries(result.latency_ms))
    console.error(`${kind.padEnd(5)} ${claims} claims: p50 ${p50}, p99 ${p99}, p99.9 ${p999}, max ${max} ms`)
  console.error(`answers: ${JSON.stringify(result.codes)}`)
  if (values.json) console.log(JSON.stringify(result))
  process.exit(result.wrong_answers === 0 ? 0 : 1)
} catch (error) {
  if (!(error instanceof SettingError)) throw error
  console.error(error.message)
  process.exit(1)
}
