/**
 * Every error a client can meet: RFC 9457 `application/problem+json` with a stable `code`.
 * `title` says what happened in one line; `detail`, given where it is thrown, says what to do.
 */
export const PROBLEMS = {
  bad_request: { status: 400, title: 'The request is not valid' },
  malformed_json: { status: 400, title: 'The body is not valid JSON' },
  idempotency_key_missing: { status: 400, title: 'The Idempotency-Key header is missing or not valid' },
  webhook_invalid: { status: 400, title: 'The webhook is not signed as the provider signs it' },
  pass_missing: { status: 401, title: 'A pass from the waiting room is needed' },
  pass_invalid: { status: 401, title: 'The pass is not valid' },
  pass_expired: { status: 401, title: 'The pass has expired' },
  proof_missing: { status: 400, title: 'A solved proof of work is needed' },
  proof_invalid: { status: 403, title: 'The proof of work is not valid' },
  proof_expired: { status: 403, title: 'The proof of work has expired' },
  proof_too_weak: { status: 403, title: 'A harder proof of work is needed' },
  proof_used: { status: 409, title: 'The proof of work has been used' },
  captcha_required: { status: 403, title: 'One more check is needed' },
  session_missing: { status: 401, title: 'No session' },
  session_invalid: { status: 401, title: 'The session is not valid' },
  operator_only: { status: 401, title: 'Operators only' },
  sign_in_failed: { status: 401, title: 'Name, password or code is not right' },
  code_required: { status: 401, title: 'The code of the authenticator app is needed' },
  role_too_low: { status: 403, title: 'Your role does not allow this' },
  password_wrong: { status: 403, title: 'The password is not right' },
  code_wrong: { status: 403, title: 'The code is not right' },
  pass_foreign: { status: 403, title: 'The pass belongs to another sale, device or buyer' },
  pass_used: { status: 403, title: 'The pass has been used' },
  origin_refused: { status: 403, title: 'Requests from this origin are refused' },
  ticket_invalid: { status: 401, title: 'The ticket is not valid' },
  ticket_expired: { status: 401, title: 'The ticket has expired' },
  ticket_foreign: { status: 403, title: 'The ticket belongs to another sale or device' },
  receipt_invalid: { status: 400, title: 'The receipt is not valid' },
  not_found: { status: 404, title: 'There is nothing at this address' },
  unknown_item: { status: 404, title: 'There is no such item' },
  unknown_sale: { status: 404, title: 'There is no such sale' },
  unknown_code: { status: 404, title: 'There is no group with this code' },
  unknown_gift_card: { status: 404, title: 'You have no gift card with this code' },
  unknown_operator: { status: 404, title: 'There is no such operator' },
  unknown_order: { status: 404, title: 'There is no such order' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  sold_out: { status: 409, title: 'Sold out' },
  held_out: { status: 409, title: 'All units are held, some may return' },
  not_enough_left: { status: 409, title: 'Fewer units are left than were asked for' },
  limit_reached: { status: 409, title: 'The limit for one buyer is reached' },
  not_open: { status: 409, title: 'The sale has not opened' },
  paused: { status: 409, title: 'The sale is paused' },
  ended: { status: 409, title: 'The sale has ended' },
  order_not_payable: { status: 409, title: 'The order can not be paid' },
  order_not_paid: { status: 409, title: 'The order is not paid' },
  contact_settled: { status: 409, title: 'A mail about this order has been sent already' },
  no_mails: { status: 409, title: 'This shop sends no mails' },
  gift_card_unusable: { status: 409, title: 'The gift card can not be used for this order' },
  order_not_cancellable: { status: 409, title: 'The order can not be cancelled' },
  rehearsal_only: { status: 409, title: 'This is a rehearsal: nothing is sold, and no real money is taken' },
  not_removable: { status: 409, title: 'The sale can not be removed' },
  not_editable: { status: 409, title: 'This can not be changed any more' },
  provider_not_offered: { status: 409, title: 'This shop does not take this way to pay' },
  group_full: { status: 409, title: 'All places of the group are taken' },
  not_oversold: { status: 409, title: 'The item is not oversold' },
  preview_outdated: { status: 409, title: 'The preview is out of date' },
  last_admin: { status: 409, title: 'Somebody has to be left who manages accounts' },
  already_exists: { status: 409, title: 'It exists already' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key was used with another request' },
  turn_lapsed: { status: 410, title: 'The turn has lapsed' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported' },
  too_early: { status: 425, title: 'It is not your turn yet' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  provider_refused: { status: 502, title: 'The payment provider refused' },
  fenced: { status: 503, title: 'The item is being checked after a failure' },
  overloaded: { status: 503, title: 'Too much is asked of the service right now' },
  unavailable: { status: 503, title: 'The service is not available right now' },
} as const satisfies Record<string, { status: number; title: string }>

export type ProblemCode = keyof typeof PROBLEMS

/** The body of every error answer (RFC 9457). */
export interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ProblemCode
  readonly detail?: string
  readonly request_id?: string
}
