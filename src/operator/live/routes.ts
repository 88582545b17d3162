import { createRoute } from '@hono/zod-openapi'
import { type SSEStreamingApi, streamSSE } from 'hono/streaming'
import { SaleParam } from '../../contracts/http.ts'
import type { SaleId } from '../../contracts/ids.ts'
import { LiveHistory, LiveQuery, LiveSample } from '../../contracts/live-http.ts'
import type { Catalogue } from '../../flow/catalogue/catalogue.ts'
import type { Clock } from '../../platform/clock.ts'
import { overloaded, Problem } from '../../platform/errors.ts'
import { type App, json, problems } from '../../platform/http.ts'
import type { Live } from './live.ts'

const getHistory = createRoute({
  method: 'get',
  path: '/api/operator/sales/{sale}/live',
  request: { params: SaleParam, query: LiveQuery },
  responses: {
    200: json(LiveHistory, 'What happened in the last minutes, second by second'),
    ...problems('bad_request', 'operator_only', 'unknown_sale'),
  },
})
const getStream = createRoute({
  method: 'get',
  path: '/api/operator/sales/{sale}/live/stream',
  description:
    'Begins with the latest sample, or after the one that `Last-Event-ID` names. Comments keep the connection open; it ends after a minute, and the browser asks again.',
  request: { params: SaleParam },
  responses: {
    200: {
      description: 'Server-sent events `sample`, one a second; the id is its `at`',
      content: { 'text/event-stream': { schema: LiveSample } },
    },
    ...problems('operator_only', 'unknown_sale'),
  },
})

/** Streams at once in one process: operators, not buyers. */
const MOST_STREAMS = 100
/** A sample is there a moment after its second began. */
const LOOK_MS = 500
const HEARTBEAT_MS = 10_000
/** Then the browser asks anew, and whoever has been signed out since is told nothing any more. */
const LONGEST_MS = 60_000
const ASK_AGAIN_MS = 1000

export interface LiveRouteParts {
  readonly live: Pick<Live, 'samples'>
  readonly catalogue: Catalogue
  readonly clock: Clock
  /** Ends open event streams when the process stops. */
  readonly stopping: AbortSignal
}

export function liveRoutes(app: App, { live, catalogue, clock, stopping }: LiveRouteParts): void {
  const { samples } = live
  const refuseUnknown = async (sale: SaleId) => {
    if ((await catalogue.sale(sale)) === undefined) throw new Problem('unknown_sale')
  }
  app.openapi(getHistory, async (c) => {
    const { sale } = c.req.valid('param')
    await refuseUnknown(sale)
    const found = await samples.since(sale, clock.now() - c.req.valid('query').minutes * 60_000)
    return c.json({ sale_id: sale, samples: found }, 200)
  })

  let open = 0
  app.openapi(getStream, async (c) => {
    const { sale } = c.req.valid('param')
    await refuseUnknown(sale)
    if (open >= MOST_STREAMS) throw overloaded()
    // Nobody would read it, and so nobody would leave.
    if (c.req.method === 'HEAD') return c.body(null, 200, { 'Content-Type': 'text/event-stream' })
    const seen = /^\d{13}$/.exec(c.req.header('last-event-id') ?? '')?.[0]
    const after = seen === undefined ? ((await samples.last(sale))?.sample.at ?? 0) - 1 : Number(seen)
    open += 1
    return streamSSE(c, async (stream) => {
      const over = new AbortController()
      stream.onAbort(() => over.abort())
      const ending = AbortSignal.any([over.signal, stopping])
      await tell(sale, after, stream, ending).finally(() => (open -= 1))
    })
  })
  const tell = async (sale: SaleId, after: number, stream: SSEStreamingApi, ending: AbortSignal) => {
    // At once: the browser then knows that the stream is open.
    await stream.write(`retry: ${ASK_AGAIN_MS}\n: open\n\n`)
    const until = clock.now() + LONGEST_MS
    let [last, told] = [after, clock.now()]
    while (!ending.aborted && clock.now() < until) {
      // While Redis is away there is nothing to tell; when it is back, it goes on where it was.
      for (const sample of await samples.since(sale, last).catch(() => [])) {
        await stream.writeSSE({ event: 'sample', id: String(sample.at), data: JSON.stringify(sample) })
        ;[last, told] = [sample.at, clock.now()]
      }
      if (clock.now() - told >= HEARTBEAT_MS) {
        await stream.write(': still here\n\n')
        told = clock.now()
      }
      await clock.sleep(LOOK_MS, ending)
    }
  }
}
