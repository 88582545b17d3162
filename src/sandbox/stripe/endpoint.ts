/** The way every API request goes: authenticate, read, honour the idempotency key, work, commit, answer. */
import type { Clock } from '../../platform/clock.ts'
import type { FaultBox } from '../faults.ts'
import { untilAborted } from '../page.ts'
import { StripeFailure, invalidRequest } from './errors.ts'
import { Params, decodeForm } from './form.ts'
import type { Form } from './form.ts'
import type { IdempotencyKeys } from './idempotency.ts'
import type { Reply } from './intents.ts'
import { authenticate, requireSecret } from './keys.ts'
import type { Keys } from './keys.ts'
import type { Operation } from './operations.ts'
import type { Caller } from './render.ts'
import type { Row } from './types.ts'
import type { Surroundings } from './work.ts'
import { Work } from './work.ts'

export interface EndpointContext {
  keys: Keys
  around: Surroundings
  idempotency: IdempotencyKeys
  faults: FaultBox<Operation>
  clock: Clock
  /** Aborted when the sandbox closes. */
  closing: AbortSignal
  /** Commits rows and sends off the events among them. */
  commit: (rows: Row[]) => void
}

export interface Endpoint {
  operation: Operation
  /** Whether a browser may call it with the publishable key. */
  open?: boolean
  run: (work: Work, params: Params, caller: Caller) => Reply
}

interface Answer {
  status: number
  body: unknown
  silent: boolean
  headers: Record<string, string>
}

export async function serve(
  context: EndpointContext,
  endpoint: Endpoint,
  request: Request,
): Promise<Response> {
  const url = new URL(request.url)
  const key = request.method === 'POST' ? request.headers.get('idempotency-key') : null
  const work = new Work(context.around, url.origin, key)
  let answer: Answer
  try {
    answer = await respond(context, endpoint, request, work)
  } catch (error) {
    if (!(error instanceof StripeFailure)) throw error
    answer = { status: error.status, body: { error: error.body }, silent: false, headers: {} }
  }
  const lost = answer.silent || context.faults.take('lose_next', endpoint.operation)
  if (lost) await untilAborted(request.signal, context.closing)
  return toResponse(request, work, answer)
}

async function respond(
  context: EndpointContext,
  endpoint: Endpoint,
  request: Request,
  work: Work,
): Promise<Answer> {
  const form = await readForm(request)
  const keyParameter = typeof form['key'] === 'string' ? form['key'] : undefined
  delete form['key']
  const caller = authenticate(request.headers.get('authorization'), keyParameter, context.keys)
  if (!endpoint.open) requireSecret(caller)
  if (context.faults.take('fail_next', endpoint.operation)) throw internalError()
  const { idempotencyKey } = work
  const path = new URL(request.url).pathname
  const begun = idempotencyKey ? context.idempotency.begin(idempotencyKey, path, form, work.now) : undefined
  if (begun?.kind === 'replay') {
    const { status, body, request_id } = begun.answer
    return {
      status,
      body,
      silent: false,
      headers: { 'idempotent-replayed': 'true', 'original-request': request_id },
    }
  }
  try {
    const latency = context.faults.latency(endpoint.operation)
    if (latency > 0) await context.clock.sleep(latency, context.closing)
    const { answer, keep } = run(endpoint, work, new Params(form), caller)
    if (keep && idempotencyKey && begun)
      work.put(stored(work, idempotencyKey, begun.fingerprint, path, answer))
    if (keep) context.commit(work.rows())
    return answer
  } finally {
    begun?.end()
  }
}

/** A failure after the work began is an answer like any other: committed, and kept under the key. */
function run(
  endpoint: Endpoint,
  work: Work,
  params: Params,
  caller: Caller,
): { answer: Answer; keep: boolean } {
  try {
    const { body, silent = false } = endpoint.run(work, params, caller)
    return { answer: { status: 200, body, silent, headers: {} }, keep: true }
  } catch (error) {
    if (!(error instanceof StripeFailure)) throw error
    const answer = { status: error.status, body: { error: error.body }, silent: false, headers: {} }
    return { answer, keep: error.begun }
  }
}

function stored(work: Work, id: string, fingerprint: string, path: string, { status, body }: Answer): Row {
  const { now: created, requestId } = work
  return { object: 'sandbox.answer', id, fingerprint, path, request_id: requestId, status, body, created }
}

async function readForm(request: Request): Promise<Form> {
  if (request.method !== 'POST') return decodeForm(new URL(request.url).search)
  const text = await request.text()
  const type = request.headers.get('content-type') ?? ''
  if (text === '' || type.startsWith('application/x-www-form-urlencoded')) return decodeForm(text)
  throw invalidRequest(
    'Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any questions, we can help at https://support.stripe.com/.',
  )
}

function internalError(): StripeFailure {
  return new StripeFailure(500, {
    type: 'api_error',
    message: 'Sorry! There was an error while talking to Stripe.',
  })
}

function toResponse(request: Request, work: Work, answer: Answer): Response {
  const headers = new Headers({
    ...corsHeaders,
    'cache-control': 'no-cache, no-store',
    'content-type': 'application/json',
    'request-id': work.requestId,
    'stripe-version': request.headers.get('stripe-version') ?? work.apiVersion,
    ...answer.headers,
  })
  if (work.idempotencyKey) headers.set('idempotency-key', work.idempotencyKey)
  if (answer.status === 401) headers.set('www-authenticate', 'Bearer realm="Stripe"')
  return new Response(JSON.stringify(answer.body, null, 2), { status: answer.status, headers })
}

/** As api.stripe.com: any page may call, since the keys and not cookies decide. */
export const corsHeaders = {
  'access-control-allow-headers': 'authorization, content-type, idempotency-key, stripe-version',
  'access-control-allow-methods': 'GET, HEAD, PUT, PATCH, POST, DELETE',
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'Request-Id, Stripe-Manage-Version, Stripe-Should-Retry',
  'access-control-max-age': '300',
}
