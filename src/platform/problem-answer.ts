import { HTTPException } from 'hono/http-exception'
import { isConnectionError, Overloaded, overloaded, Problem, unavailable } from './errors.ts'
import type { Log } from './telemetry.ts'

/** What a refusal or an error looks like to the client, however the request came in. */

const REQUEST_ID = /^[\w.-]{8,64}$/

/** The client's own, where it sent one that can be written into a log. */
export const requestIdOf = (given: string | null | undefined): string =>
  typeof given === 'string' && REQUEST_ID.test(given) ? given : crypto.randomUUID()

interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** A body or parameter that is not of the shape that the contract says. */
export function badRequest(issues: readonly Issue[]): Problem {
  const issue = issues[0]
  const where = issue?.path.length ? `\`${issue.path.join('.')}\`: ` : ''
  return new Problem('bad_request', `${where}${issue?.message ?? 'not valid'}`)
}

export const malformedJson = () => new Problem('malformed_json', 'Send one JSON object.')

/** The problem that an error is for the client. What is nobody's refusal is logged. */
export function problemOf(error: unknown, requestId: string, log: Log): Problem {
  if (error instanceof Problem) return error
  if (error instanceof HTTPException) {
    if (error.status === 400) return malformedJson()
    if (error.status === 413) return new Problem('body_too_large')
    if (error.status === 415) return new Problem('unsupported_media_type')
  }
  const line = { request_id: requestId, err: error }
  if (error instanceof Overloaded) {
    log.warn(line, 'a queue is full')
    return overloaded()
  }
  if (isConnectionError(error)) {
    log.error(line, 'a service we depend on does not answer')
    return unavailable('Try again in a few seconds.')
  }
  log.error(line, 'unexpected error')
  return new Problem('internal', 'Try again; if it goes on, tell the shop the request_id.')
}

/** Of every problem. */
export const PROBLEM_HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'application/problem+json',
  'Cache-Control': 'no-store',
}

/** Of this one besides. */
export function headersOf(problem: Problem): Record<string, string> {
  const headers: Record<string, string> = {}
  if (problem.retryAfterS !== undefined) headers['Retry-After'] = String(Math.ceil(problem.retryAfterS))
  if (problem.allow !== undefined) headers['Allow'] = problem.allow.join(', ')
  return headers
}
