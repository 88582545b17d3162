import { withUrgency } from './deadline.ts'
import { inTime } from './patience.ts'
import { overloaded, type Problem, unavailable } from './errors.ts'
import { type HostName, kindOf } from './request-kind.ts'
import type { Kind, Shedding } from './shedding.ts'

/** How long a request may take, in milliseconds. Then it is answered without waiting for what it began. */
const PATIENCE_MS: Readonly<Record<Kind, number>> = {
  analytics: 10_000,
  operator: 60_000,
  browsing: 5000,
  poll: 5000,
  joins: 8000,
  admissions: 8000,
  claims: 10_000,
  vital: 20_000,
}
/** Kinds that must not take the last places in a queue behind the door from those that matter more. */
const YIELDS: ReadonlySet<Kind> = new Set(['analytics', 'browsing', 'poll', 'joins', 'admissions'])

export interface Door {
  readonly host: HostName
  readonly request: Request
  readonly path: string
}

/**
 * Before anything is read or parsed: turns a request away where there is too much to do, gives every other one its time,
 * and answers when that is over. Whoever asks again with the same key then learns what became of it.
 */
export function atTheDoor(
  shedding: Shedding,
  { host, request, path }: Door,
  answer: () => Promise<Response>,
  patienceMs?: number,
): Promise<Response> {
  const kind = kindOf(host, request.method, path)
  if (kind === undefined) return answer()
  const done = shedding.admit(kind)
  if (done === undefined) return Promise.resolve(refusal(request, overloaded()))
  const until = performance.now() + (patienceMs ?? PATIENCE_MS[kind])
  return new Promise<Response>((resolve, reject) => {
    const isInTime = inTime(until, () => {
      done()
      resolve(refusal(request, tooLate(request.method)))
    })
    const ending =
      <T>(settle: (value: T) => void) =>
      (value: T) => {
        if (isInTime()) done()
        settle(value)
      }
    withUrgency({ until, sheddable: YIELDS.has(kind) }, answer).then(ending(resolve), ending(reject))
  })
}

const tooLate = (method: string): Problem =>
  unavailable(
    method === 'GET' || method === 'HEAD'
      ? 'It takes too long right now; try again in a few seconds.'
      : 'It is not known whether it was done: ask again in a few seconds, with the same Idempotency-Key where you sent one.',
  )

/** Cheap on purpose: nothing of the request is looked at but what kind of answer it can read. */
function refusal(request: Request, problem: Problem): Response {
  const retry = String(Math.ceil(problem.retryAfterS ?? 1))
  const id = crypto.randomUUID()
  const headers = { 'Cache-Control': 'no-store', 'Retry-After': retry, 'X-Request-Id': id }
  const isPage = request.headers.get('accept')?.includes('text/html') ?? false
  return isPage
    ? new Response(`<!doctype html><html lang="en"><title>One moment</title><p>${PAGE}</p></html>`, {
        status: problem.status,
        headers: { ...headers, Refresh: retry, 'Content-Type': 'text/html; charset=utf-8' },
      })
    : new Response(JSON.stringify(problem.body(id)), {
        status: problem.status,
        headers: { ...headers, 'Content-Type': 'application/problem+json' },
      })
}

const PAGE =
  'A lot of people are here right now. This page tries again by itself in a moment; your place is kept.'
