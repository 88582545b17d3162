/** Buyers who come one after the other, by the door that everybody comes through, and claim; whatever happens behind it. */
import { fromItsPage } from '../../sim/crowd/scene.ts'
import {
  createWireClient,
  type WireAnswer,
  type WireClient,
  type WireRequest,
} from '../../sim/wire/client.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { UNGUARDED } from './buyer.ts'

const AT_ONCE = 6
const SALE = 'rolling'
const ITEM = 'rolling-tv'

interface Options {
  readonly port: number
  readonly opsToken: string
  /** Public address of a host. */
  readonly at: (host: 'shop' | 'queue' | 'ops') => string
}

/** Opens a sale and starts them; `failures` are answers of 500 and above, and requests without an answer. */
export async function startBuyers({ port, opsToken, at }: Options) {
  const connect = (connections: number) =>
    createWireClient({ address: '127.0.0.1', port, connections, timeoutMs: 20_000 })
  const wire = connect(AT_ONCE)
  const failures: string[] = []
  const claimed = new Set<string>()
  const json = { 'Content-Type': 'application/json' }
  let stopping = false
  let number = 0

  const send = async (
    host: Parameters<Options['at']>[0],
    request: Omit<WireRequest, 'host' | 'body'>,
    body?: object,
  ): Promise<Extract<WireAnswer, { kind: 'answer' }> | undefined> => {
    const ask = (client: WireClient) =>
      client.send({
        ...{ ...request, host: new URL(at(host)).host },
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { ...json, ...request.headers } }),
      })
    let answer = await ask(wire)
    // A connection that was kept open and is closed without a word just when it is used again: browsers ask on a new one.
    if (answer.kind === 'lost' && answer.reason === 'closed') {
      const anew = connect(1)
      answer = await ask(anew)
      anew.close()
    }
    if (answer.kind === 'lost') failures.push(`${request.path}: ${answer.reason}`)
    else if (answer.status >= 500) failures.push(`${request.path}: ${answer.status} ${answer.text}`)
    return answer.kind === 'lost' ? undefined : answer
  }
  const created = await send(
    'ops',
    { method: 'POST', path: '/api/operator/sales', headers: { Authorization: `Bearer ${opsToken}` } },
    {
      ...{ id: SALE, name: 'Rolling', rate_per_second: 10_000, guard: UNGUARDED, reason: 'test' },
      products: [{ id: ITEM, name: 'TV', amount: 19_900, currency: 'EUR', units: 100_000 }],
    },
  )
  if (created?.status !== 201) throw new Error(`no sale: ${created?.text} ${failures.join()}`)

  const buy = async () => {
    const device = `browser-number-${(number += 1)}`
    const joined = await send('queue', { method: 'POST', path: `/api/queue/${SALE}/join` }, { device })
    if (joined?.status !== 201) return
    const { ticket } = JSON.parse(joined.text) as { ticket: string }
    let entered
    while ((entered?.status ?? 425) === 425) {
      if (entered !== undefined) await systemClock.sleep(50)
      entered = await send('queue', { method: 'POST', path: `/api/queue/${SALE}/enter` }, { ticket, device })
      if (entered === undefined || stopping) return
    }
    const session = await send('shop', { method: 'GET', path: '/api/session' })
    const cookie = /^[^;]+/.exec(session?.headers.get('set-cookie') ?? '')?.[0]
    if (entered?.status !== 200 || cookie === undefined) return
    const { pass } = JSON.parse(entered.text) as { pass: string }
    const headers = {
      ...fromItsPage(cookie),
      ...{ Authorization: `Bearer ${pass}`, 'Idempotency-Key': `key-of-${device}` },
    }
    const claim = await send(
      'shop',
      { method: 'POST', path: '/api/claims', headers },
      { item_id: ITEM, quantity: 1 },
    )
    if (claim?.status === 200 || claim?.status === 201)
      claimed.add((JSON.parse(claim.text) as { order_id: string }).order_id)
    else if (claim !== undefined) failures.push(`claim: ${claim.status} ${claim.text}`)
  }
  const all = Array.from({ length: AT_ONCE }, async () => {
    while (!stopping) {
      await buy()
      await systemClock.sleep(20)
    }
  })
  return {
    failures,
    /** Ids of the orders that were answered 201. */
    claimed,
    /** Until so many are claimed; what failed is told where that takes too long. */
    until: async (claims: number) => {
      for (const deadline = systemClock.now() + 30_000; claimed.size < claims; await systemClock.sleep(20))
        if (systemClock.now() > deadline)
          throw new Error(`${claimed.size} of ${claims} claims; ${failures.slice(0, 5).join('; ')}`)
    },
    /** Each finishes what it is at. */
    stop: async () => {
      stopping = true
      await Promise.all(all)
      wire.close()
    },
  }
}
