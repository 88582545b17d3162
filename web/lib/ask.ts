import type { ProblemBody } from '../../src/contracts/problems.ts'

/** What came of a request: the body, a problem the server told us, or no usable answer at all. */
export type Answer<Body> =
  | { readonly kind: 'ok'; readonly body: Body }
  | { readonly kind: 'problem'; readonly problem: ProblemBody; readonly retryAfterS: number | undefined }
  | { readonly kind: 'unreachable' }

export type Refused = Exclude<Answer<never>, { kind: 'ok' }>

const TIMEOUT_MS = 15_000

/** One request to our own server, with JSON or a file, that is answered with JSON. Never throws: what can go wrong is in the answer. */
export async function ask<Body>(
  path: string,
  options: { method?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer<Body>> {
  const { method = 'GET', body, headers = {} } = options
  try {
    const response = await fetch(path, {
      method,
      // A browser's cache would answer a poll with the answer before (stale-while-revalidate).
      cache: 'no-store',
      // A file says itself what it is.
      headers:
        body === undefined || body instanceof Blob
          ? headers
          : { ...headers, 'Content-Type': 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: body instanceof Blob ? body : JSON.stringify(body) }),
    })
    const answer: unknown = response.status === 204 ? undefined : await response.json()
    if (response.ok) return { kind: 'ok', body: answer as Body }
    if (!isProblem(answer)) return { kind: 'unreachable' }
    const retryAfter = Number(response.headers.get('Retry-After') ?? NaN)
    return {
      kind: 'problem',
      problem: answer,
      retryAfterS: Number.isFinite(retryAfter) ? retryAfter : undefined,
    }
  } catch {
    // No network, a timeout, or a proxy's own error page in place of JSON.
    return { kind: 'unreachable' }
  }
}

function isProblem(answer: unknown): answer is ProblemBody {
  return typeof answer === 'object' && answer !== null && 'code' in answer && 'title' in answer
}
