import { sleep } from '../../sim/clock.ts'
import { dressed, type Sender } from '../../sim/crowd/scene.ts'
import type { Guise } from '../../sim/crowd/guise.ts'
import type { Target } from '../../sim/target.ts'
import type { WireRequest } from '../../sim/wire/client.ts'

/** A buyer who has been let in. */
export interface Holder {
  readonly cookie: string
  readonly pass: string
  /** Headers of this buyer's requests. */
  readonly guise: Guise
}

const AT_ONCE = 64

/** Joins, enters and opens a session for many buyers, with the headers given. Throws where that fails for good. */
export async function fetchPasses(
  client: Sender,
  hosts: Target['hosts'],
  sale: string,
  count: number,
  guiseOf: (index: number) => Guise = () => ({}),
): Promise<Holder[]> {
  const holders: Holder[] = []
  let left = count
  const worker = async () => {
    while (left-- > 0) {
      const device = `bench-${sale}-${left}`
      const guise = guiseOf(left)
      const web = dressed(client, guise)
      const { ticket } = await post<{ ticket: string }>(web, hosts.queue, `/api/queue/${sale}/join`, {
        device,
      })
      const { pass } = await post<{ pass: string }>(web, hosts.queue, `/api/queue/${sale}/enter`, { ticket })
      const session = await insist(web, { method: 'GET', host: hosts.shop, path: '/api/session' })
      const cookie = /^[^;]+/.exec(session.headers.get('set-cookie') ?? '')?.[0]
      if (cookie === undefined) throw new Error('no session')
      holders.push({ cookie, pass, guise })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return holders
}

/** Joins as many, each as a device of its own. */
export async function fetchTickets(
  client: Sender,
  hosts: Target['hosts'],
  sale: string,
  count: number,
): Promise<string[]> {
  const tickets: string[] = []
  let left = count
  const worker = async () => {
    while (left-- > 0) {
      const body = { device: `bench-${sale}-${left}` }
      tickets.push(
        (await post<{ ticket: string }>(client, hosts.queue, `/api/queue/${sale}/join`, body)).ticket,
      )
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return tickets
}

async function post<T>(web: Sender, host: string, path: string, body: object): Promise<T> {
  const headers = { 'Content-Type': 'application/json' }
  const answer = await insist(web, { method: 'POST', host, path, headers, body: JSON.stringify(body) })
  return JSON.parse(answer.text) as T
}

/** Until it works: the line needs a moment to reach a place just taken. */
async function insist(web: Sender, request: WireRequest) {
  for (let attempt = 0; attempt < 50; attempt++) {
    const answer = await web.send(request)
    if (answer.kind === 'answer' && answer.status < 300) return answer
    await sleep(20 * attempt)
  }
  throw new Error(`${request.path} keeps failing`)
}
