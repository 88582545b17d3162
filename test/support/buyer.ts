import { systemClock } from '../../src/platform/clock.ts'
import { type Answer, type Call, type Fields, type TestApp, URLS } from './app.ts'

/** A sale whose joins prove nothing: for tests of what comes after. */
export const UNGUARDED = {
  proof_of_work: { on: false },
  limits: { on: false },
  risk: { on: false },
  captcha: { on: false },
} as const

let sales = 0
const slug = (what: string) => `${what}-${++sales}`

/** A sale of one product that is open, 1000 people a second. Gives the ids. */
export async function createSale(
  { operate }: TestApp,
  { product = {}, ...change }: { product?: Record<string, unknown>; [field: string]: unknown } = {},
): Promise<{ sale: string; item: string }> {
  const [sale, item] = [slug('sale'), slug('item')]
  const answer = await operate('POST', 'sales', {
    ...{ id: sale, name: 'A sale', rate_per_second: 1000, opens_at: Date.now() - 1000, reason: 'test' },
    guard: UNGUARDED,
    products: [{ id: item, name: 'TV', amount: 19_900, currency: 'EUR', units: 10, ...product }],
    ...change,
  })
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
  return { sale, item }
}

let keys = 0
export const newKey = () => `key-number-${++keys}`

export type Buyer = ReturnType<typeof createBuyer>

/** Someone with a browser of their own: keeps the session cookie, joins, enters, claims. */
export function createBuyer({ send }: TestApp, device = 'phone') {
  let cookie: string | undefined
  const asBuyer = (headers: Fields = {}): Fields => ({
    ...(cookie === undefined ? {} : { cookie, origin: URLS.shop }),
    ...headers,
  })
  const shop = async <Body = Record<string, unknown>>(method: string, path: string, call: Call = {}) => {
    const answer = await send<Body>('shop', method, path, { ...call, headers: asBuyer(call.headers) })
    cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? cookie
    return answer
  }
  const join = (sale: string, ticket?: string) =>
    send<{ ticket: string; position: number }>('queue', 'POST', `/api/queue/${sale}/join`, {
      json: { device, ...(ticket === undefined ? {} : { ticket }) },
    })
  const enter = (sale: string, ticket: string) =>
    send<{ pass: string; expires_at: number }>('queue', 'POST', `/api/queue/${sale}/enter`, {
      json: { ticket, device },
    })
  return {
    shop,
    join,
    enter,
    headers: asBuyer,
    userId: async () => (await shop<{ user_id: string }>('GET', '/api/session')).body.user_id,
    /** Waits in line until the turn has come. */
    pass: async (sale: string): Promise<string> => {
      const { ticket } = (await join(sale)).body
      for (let attempt = 0; attempt < 200; attempt += 1) {
        const answer = await enter(sale, ticket)
        if (answer.status === 200) return answer.body.pass
        if (answer.status !== 425) throw new Error(JSON.stringify(answer.body))
        await systemClock.sleep(5)
      }
      throw new Error('the turn did not come')
    },
    claim: (
      pass: string,
      item_id: string,
      change: { quantity?: unknown; key?: string; headers?: Fields } = {},
    ) =>
      shop<Claimed>('POST', '/api/claims', {
        headers: {
          authorization: `Bearer ${pass}`,
          'idempotency-key': change.key ?? newKey(),
          ...change.headers,
        },
        json: { item_id, quantity: change.quantity ?? 1 },
      }),
  }
}

export interface Claimed {
  readonly order_id: string
  readonly status: string
  readonly pay_by: number
  readonly hold_expires_at: number
  readonly receipt: string
}
export type ClaimAnswer = Answer<Claimed>
