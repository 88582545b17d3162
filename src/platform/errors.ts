import { PROBLEMS, type ProblemBody, type ProblemCode } from '../contracts/problems.ts'
import { failureOf } from './redis-failure.ts'

/** A setting is missing or wrong: one clear line for the operator, exit code 78 (EX_CONFIG) for a process. */
export class SettingError extends Error {
  override readonly name: string = 'SettingError'
}

export interface ProblemOptions {
  readonly retryAfterS?: number
  readonly allow?: readonly string[]
  /** Further members of the body, which the client needs to go on. */
  readonly extension?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/** An expected refusal on its way to the client as problem+json. `detail` tells what to do. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly detail: string | undefined
  readonly retryAfterS: number | undefined
  /** Methods that the address has, for `method_not_allowed`. */
  readonly allow: readonly string[] | undefined
  readonly extension: Readonly<Record<string, unknown>> | undefined

  constructor(code: ProblemCode, detail?: string, options: ProblemOptions = {}) {
    super(detail ?? PROBLEMS[code].title, { cause: options.cause })
    this.code = code
    this.detail = detail
    this.retryAfterS = options.retryAfterS
    this.allow = options.allow
    this.extension = options.extension
  }

  get status(): number {
    return PROBLEMS[this.code].status
  }

  body(requestId?: string): ProblemBody {
    return {
      ...this.extension,
      type: `urn:doorbuster:problem:${this.code}`,
      title: PROBLEMS[this.code].title,
      status: this.status,
      code: this.code,
      ...(this.detail !== undefined ? { detail: this.detail } : {}),
      ...(requestId !== undefined ? { request_id: requestId } : {}),
    }
  }
}

/** Something we depend on does not answer, as the code that noticed it says. */
export class Unavailable extends Error {
  override readonly name: string = 'Unavailable'
}

/** A queue of ours is full, or the time of the request is over: nothing was done. Shown as `overloaded`. */
export class Overloaded extends Unavailable {
  override readonly name = 'Overloaded'
}

/** `unavailable`, to be tried again after 1 to 6 s: were it one time for all, everybody refused would be back together. */
export const unavailable = (detail: string, cause?: unknown) =>
  new Problem('unavailable', detail, { retryAfterS: 1 + 5 * Math.random(), cause })

/** The same for a request that was turned away, of which nothing was done. */
export const overloaded = (): Problem =>
  new Problem('overloaded', 'Nothing was done; try again in a few seconds.', {
    retryAfterS: 1 + 5 * Math.random(),
  })

/** Something we depend on does not answer. Retryable; shown as `unavailable`. */
export function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof Unavailable || failureOf(error) !== undefined) return true
  const code = (error as { code?: unknown }).code
  if (
    typeof code === 'string' &&
    /^(E(CONN|PIPE|HOST|TIMEDOUT|AI_)|57P0|57014|53|08|PLT_KFK_(NETWORK|TIMEOUT|MULTIPLE|RESPONSE))/.test(
      code,
    )
  )
    return true
  return /Connection terminated|timeout exceeded when trying|Query read timeout/i.test(error.message)
}
