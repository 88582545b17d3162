/**
 * Many connections from a process of its own, so that the one that measures is not slowed down with the one that is loaded.
 * Each asks, waits for the answer and asks again until standard input ends; then it prints how many
 * answers of which status each kind of request got.
 */
import { createWireClient, type WireRequest } from '../../sim/wire/client.ts'

export interface Crowd {
  readonly port: number
  readonly connections: number
  /** Whoever is turned away waits as long as it is told to, as browsers of ours do; otherwise asks again at once. */
  readonly patient: boolean
  /** Taken in turns; `{n}` in a body becomes a number that nobody else has. */
  readonly requests: readonly (WireRequest & { readonly kind: string })[]
}

export type CrowdReport = Record<string, Record<string, number>>

if (import.meta.main) {
  const { port, connections, patient, requests } = JSON.parse(process.argv[2] ?? '') as Crowd
  const client = createWireClient({ address: '127.0.0.1', port, connections, timeoutMs: 30_000 })
  const report: CrowdReport = {}
  let [sent, stop] = [0, false]
  const stopped = Promise.withResolvers<void>()
  process.stdin
    .on('end', () => {
      stop = true
      stopped.resolve()
    })
    .resume()
  const visitor = async () => {
    while (!stop) {
      const n = sent++
      const { kind, ...request } = requests[n % requests.length] as Crowd['requests'][number]
      const body = request.body === undefined ? {} : { body: request.body.replace('{n}', String(n)) }
      const answer = await client.send({ ...request, ...body })
      const status = answer.kind === 'answer' ? String(answer.status) : 'lost'
      const counts = (report[kind] ??= {})
      counts[status] = (counts[status] ?? 0) + 1
      const retryAfterS = answer.kind === 'answer' ? Number(answer.headers.get('retry-after') ?? 0) : 0
      // Until it is told to stop, so that nobody is waited for.
      if (patient && retryAfterS > 0) await Promise.race([Bun.sleep(retryAfterS * 1000), stopped.promise])
    }
  }
  const visitors = Array.from({ length: connections }, visitor)
  process.stdout.write('started\n')
  await Promise.all(visitors)
  client.close()
  process.stdout.write(`${JSON.stringify(report)}\n`)
}
