/** The way every API request goes: token, faults, the PayPal-Request-Id, work, commit, answer. */
import type { Clock } from '../../platform/clock.ts'
import type { FaultBox } from '../faults.ts'
import { untilAborted } from '../page.ts'
import { broken, malformed, PaypalFailure } from './errors.ts'
import type { Operation } from './operations.ts'
import type { Reply } from './orders.ts'
import type { Tokens } from './tokens.ts'
import type { Row } from './types.ts'
import { type Surroundings, Work } from './work.ts'

export interface EndpointContext {
  readonly around: Surroundings
  readonly tokens: Tokens
  readonly faults: FaultBox<Operation>
  readonly clock: Clock
  /** Path below which the API is mounted, such as `/paypal`. */
  readonly mountedAt: string
  /** Aborted when the sandbox closes. */
  readonly closing: AbortSignal
  /** Commits rows and sends off the events among them. */
  readonly commit: (rows: Row[]) => void
}

export interface Endpoint {
  readonly operation: Operation
  readonly run: (work: Work, body: unknown) => Reply
}

const KEPT_MS = 6 * 3600_000

export const baseOf = (context: EndpointContext, request: Request): string =>
  new URL(request.url).origin + context.mountedAt

export async function serve(
  context: EndpointContext,
  endpoint: Endpoint,
  request: Request,
): Promise<Response> {
  const { faults, closing, around } = context
  const answer = await respond(context, endpoint, request)
  if (answer.status < 500 && faults.take('lose_next', endpoint.operation))
    await untilAborted(request.signal, closing)
  const headers = { 'paypal-debug-id': around.newId().toLowerCase(), 'cache-control': 'no-store' }
  return answer.body === undefined
    ? new Response(null, { status: answer.status, headers })
    : Response.json(answer.body, { status: answer.status, headers })
}

async function respond(context: EndpointContext, endpoint: Endpoint, request: Request): Promise<Reply> {
  const { around, clock, closing, faults, tokens } = context
  if (!tokens.valid(request.headers.get('authorization'), around.now()))
    return {
      status: 401,
      body: { error: 'invalid_token', error_description: 'Token signature verification failed' },
    }
  try {
    if (faults.take('fail_next', endpoint.operation)) throw broken()
    const latency = faults.latency(endpoint.operation)
    if (latency > 0) await clock.sleep(latency, closing)
    const body = await readBody(request)
    return run(context, endpoint, request, body)
  } catch (error) {
    if (!(error instanceof PaypalFailure)) throw error
    return { status: error.status, body: error.body(around.newId().toLowerCase()) }
  }
}

function run(context: EndpointContext, endpoint: Endpoint, request: Request, body: unknown): Reply {
  const work = new Work(context.around, baseOf(context, request))
  const key = request.method === 'POST' ? request.headers.get('paypal-request-id') : null
  if (key !== null && key.length > 108)
    throw malformed(
      'PayPal-Request-Id',
      'INVALID_STRING_LENGTH',
      'The value of a field is either too short or too long.',
    )
  const id = `${new URL(request.url).pathname} ${key}`
  const kept = key === null ? undefined : work.get('sandbox.answer', id)
  if (kept !== undefined && work.now - kept.created < KEPT_MS) return { status: kept.status, body: kept.body }
  try {
    const reply = endpoint.run(work, body)
    if (key !== null) work.put({ object: 'sandbox.answer', id, ...reply, created: work.now })
    return reply
  } finally {
    // What time has done to an order by itself stays, even where the request is refused.
    context.commit(work.rows())
  }
}

async function readBody(request: Request): Promise<unknown> {
  if (request.method !== 'POST') return undefined
  const text = await request.text()
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw malformed('/', 'MALFORMED_REQUEST_JSON', 'The request JSON is not well formed.')
  }
}
