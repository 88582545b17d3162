import type { Context, TypedResponse } from 'hono'
import type { z } from 'zod'
import { SLUG } from '../contracts/ids.ts'
import type { Asker } from './asker.ts'
import type { Problem } from './errors.ts'
import { type AppEnv, MAX_BODY_BYTES } from './http.ts'
import { isOwn } from './origin.ts'
import {
  badRequest,
  headersOf,
  malformedJson,
  PROBLEM_HEADERS,
  problemOf,
  requestIdOf,
} from './problem-answer.ts'
import type { HostName } from './request-kind.ts'
import { secure } from './security-headers.ts'
import { type Log, type Metrics, noteAnswer } from './telemetry.ts'

/**
 * The few routes that everybody takes at once: status, join, enter, claim. A request that looks as our own pages and clients
 * send it goes straight to its handler; everything that is unusual about it (another method, no length, another origin)
 * makes it an ordinary request, and the framework gives it the same handler. So there is one answer, and two ways to it.
 */
export interface HotRoute<Body> {
  /** Documents it: its method, and its path with at most one parameter, a slug. */
  readonly route: { readonly method: string; readonly path: string; getRoutingPath(): string }
  readonly body?: z.ZodType<Body>
  /** Throws problems. */
  readonly answer: (asker: Asker, asked: Asked<Body>) => Promise<HotAnswer>
  /** The answer, where nobody has to be waited for and it is the same for everybody. */
  readonly atHand?: (id: string) => HotAnswer | undefined
}

export interface Asked<Body> {
  /** The parameter of the path; '' where it has none. */
  readonly id: string
  readonly body: Body
}

export interface HotAnswer {
  readonly status: number
  /** JSON. */
  readonly text: string
  /** One of a few objects, the same for all answers of a kind: what is made of them is kept. */
  readonly headers: Readonly<Record<string, string>>
}

/** Of an answer to one person. */
export const PERSONAL = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' } as const

/** The framework's way to the same answer. */
export const reply = (c: Context<AppEnv>, { text, status, headers }: HotAnswer) =>
  c.body(text, status as 200, headers) as Response as Response & TypedResponse<never, never, 'json'>

/** Forgets the type of the body, which `answer` is given as `body` has checked it. */
export const hotRoute = <Body = undefined>(route: HotRoute<Body>) => route as HotRoute<unknown>

export interface HotHostParts {
  readonly host: HostName
  /** Own origin. */
  readonly origin: string
  readonly routes: readonly HotRoute<unknown>[]
  readonly log: Log
  readonly metrics: Metrics
}

type Answer = Response | (() => Promise<Response>)

/** The hot routes of one host: the answer to this request, or how to get it; undefined where it is none of theirs. */
export function createHotHost({ host, origin, routes, log, metrics }: HotHostParts) {
  const https = origin.startsWith('https:')
  const complete = new WeakMap<object, Headers>()
  /** With what every answer of ours says, so that nothing has to be added to each. */
  const completed = (headers: Readonly<Record<string, string>>): Headers => {
    let whole = complete.get(headers)
    if (whole === undefined) {
      whole = secure(new Response(null, { headers }), https).headers
      complete.set(headers, whole)
    }
    return whole
  }
  const responseOf = ({ text, status, headers }: HotAnswer) =>
    new Response(text, { status, headers: completed(headers) })
  const refusalOf = (problem: Problem, requestId: string) => {
    const { status } = problem
    const text = JSON.stringify(problem.body(requestId))
    const response = responseOf({ text, status, headers: PROBLEM_HEADERS })
    for (const [name, value] of Object.entries(headersOf(problem))) response.headers.set(name, value)
    return response
  }

  const matchers = routes.map((hot) => {
    const { method, path } = hot.route
    const [before = '', after] = path.split(/\{\w+\}/)
    return { hot, route: hot.route.getRoutingPath(), method: method.toUpperCase(), before, after }
  })
  return (request: Request, path: string, client: { readonly address: string }): Answer | undefined => {
    for (const { hot, route, method, before, after } of matchers) {
      if (request.method !== method) continue
      const id = parameter(path, before, after)
      if (id === undefined) continue
      if (method !== 'GET' && !isUsual(request.headers, origin)) return undefined
      const started = performance.now()
      const requestId = requestIdOf(request.headers.get('x-request-id'))
      const end = (response: Response): Response => {
        response.headers.set('X-Request-Id', requestId)
        noteAnswer({ ...{ host, log, metrics, started, requestId, method, route }, status: response.status })
        return response
      }
      const ready = hot.atHand?.(id)
      if (ready !== undefined) return end(responseOf(ready))
      const asker = createAsker(request, client)
      return async () => {
        let response: Response
        try {
          const body = hot.body === undefined ? undefined : await readBody(request, hot.body)
          response = responseOf(await hot.answer(asker, { id, body }))
        } catch (error) {
          response = refusalOf(problemOf(error, requestId, log), requestId)
        }
        for (const [name, value] of asker.added ?? []) response.headers.append(name, value)
        return end(response)
      }
    }
    return undefined
  }
}

/** The parameter between the two halves of a path; undefined where the path is another one. */
function parameter(path: string, before: string, after: string | undefined): string | undefined {
  if (after === undefined) return path === before ? '' : undefined
  if (!path.startsWith(before) || !path.endsWith(after)) return undefined
  const id = path.slice(before.length, path.length - after.length)
  return SLUG.test(id) ? id : undefined
}

/** A body of JSON whose length is told and allowed, from where it may come. */
function isUsual(headers: Headers, origin: string): boolean {
  const length = headers.get('content-length')
  return (
    length !== null &&
    Number(length) <= MAX_BODY_BYTES &&
    headers.get('content-type') === 'application/json' &&
    isOwn((name) => headers.get(name) ?? undefined, origin)
  )
}

async function readBody(request: Request, shape: z.ZodType): Promise<unknown> {
  const json: unknown = await request.json().catch(() => {
    throw malformedJson()
  })
  const read = shape.safeParse(json)
  if (!read.success) throw badRequest(read.error.issues)
  return read.data
}

interface HotAsker extends Asker {
  /** Headers for the answer. */
  added?: [name: string, value: string][]
}

function createAsker(raw: Request, client: { readonly address: string }): HotAsker {
  return {
    env: client,
    req: { raw, header: (name) => raw.headers.get(name) ?? undefined },
    header(name, value) {
      this.added = [...(this.added ?? []), [name, value]]
    },
  }
}
