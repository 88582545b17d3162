/** Stripe's error envelope and the words it uses. */
import type { ErrorBody } from './types.ts'

/** A refusal to be answered with `status` and `{ error: body }`. */
export class StripeFailure extends Error {
  readonly status: number
  readonly body: ErrorBody
  /** Whether the endpoint had begun its work; only then is the answer kept under an idempotency key. */
  readonly begun: boolean

  constructor(status: number, body: ErrorBody, begun = false) {
    super(body.message)
    this.status = status
    this.body = body.code
      ? { ...body, doc_url: `https://stripe.com/docs/error-codes/${slug(body.code)}` }
      : body
    this.begun = begun
  }
}

const slug = (code: string): string => code.replaceAll('_', '-')

/** A malformed request: 400, not kept under an idempotency key. */
export function invalidRequest(
  message: string,
  details: { code?: string; param?: string } = {},
): StripeFailure {
  return new StripeFailure(400, { type: 'invalid_request_error', message, ...details })
}

/** 404 for an object named in the path, 400 for one named in a parameter. */
export function missing(kind: string, id: string, param = 'id', status = 400): StripeFailure {
  const message = `No such ${kind}: '${id}'`
  return new StripeFailure(status, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message,
    param,
  })
}

export function unauthorised(message: string, code?: string): StripeFailure {
  return new StripeFailure(401, { type: 'invalid_request_error', message, ...(code ? { code } : {}) })
}

export function idempotencyError(status: number, message: string, code?: string): StripeFailure {
  return new StripeFailure(status, { type: 'idempotency_error', message, ...(code ? { code } : {}) })
}
