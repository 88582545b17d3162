/** What the API does with authorised money: capture, void, refund. */
import { notFound, refused } from './errors.ts'
import { readAmount } from './money.ts'
import type { Reply } from './orders.ts'
import { showAuthorization, showCapture, showRefund } from './render.ts'
import type { Authorization, Capture, Order, Refund } from './types.ts'
import type { Work } from './work.ts'

interface MoneyBody {
  amount?: { currency_code?: unknown; value?: unknown }
  final_capture?: unknown
  note_to_payer?: unknown
}

export function findAuthorization(work: Work, id: string): [Authorization, Order] {
  const authorization = work.get('authorization', id)
  const order = authorization && work.get('order', authorization.order)
  if (authorization === undefined || order === undefined) throw notFound()
  return [authorization, order]
}

export function findCapture(work: Work, id: string): [Capture, Order] {
  const capture = work.get('capture', id)
  const order = capture && work.get('order', capture.order)
  if (capture === undefined || order === undefined) throw notFound()
  return [capture, order]
}

/** The sandbox takes the whole authorised amount at once, with `final_capture`. */
export function capture(work: Work, [authorization, order]: [Authorization, Order], body: unknown): Reply {
  if (authorization.status === 'VOIDED')
    throw refused('AUTHORIZATION_VOIDED', 'A voided authorization cannot be captured or reauthorized.')
  if (authorization.status === 'CAPTURED')
    throw refused('AUTHORIZATION_ALREADY_CAPTURED', 'Authorization has already been captured.')
  if (authorization.status !== 'CREATED')
    throw refused('AUTHORIZATION_DENIED', 'A denied authorization cannot be captured.')
  const amount = wanted(body, order) ?? authorization.amount
  if (amount > authorization.amount)
    throw refused('MAX_CAPTURE_AMOUNT_EXCEEDED', 'Capture amount exceeds allowable limit.')
  if (amount < authorization.amount) work.record('release', order, authorization.amount - amount)
  const made: Capture = {
    object: 'capture',
    id: work.newId(),
    order: order.id,
    authorization: authorization.id,
    status: 'COMPLETED',
    amount,
    refunded: 0,
    final: (body as MoneyBody | undefined)?.final_capture === true,
    created: work.now,
    updated: work.now,
  }
  work.put(made)
  work.put({ ...authorization, status: 'CAPTURED', updated: work.now })
  work.record('capture', order, amount)
  const shown = showCapture(work, order, made)
  work.emit('PAYMENT.CAPTURE.COMPLETED', 'capture', shown)
  return { status: 201, body: shown }
}

export function voidAuthorization(work: Work, [authorization, order]: [Authorization, Order]): Reply {
  if (authorization.status === 'VOIDED')
    throw refused(
      'PREVIOUSLY_VOIDED',
      'Authorization has been previously voided and hence cannot be voided again.',
    )
  if (authorization.status === 'CAPTURED')
    throw refused(
      'PREVIOUSLY_CAPTURED',
      'Authorization has been previously captured and hence cannot be voided.',
    )
  if (authorization.status !== 'CREATED')
    throw refused('AUTHORIZATION_DENIED', 'A denied authorization cannot be voided.')
  const voided: Authorization = { ...authorization, status: 'VOIDED', updated: work.now }
  work.put(voided)
  work.record('release', order, authorization.amount)
  work.emit('PAYMENT.AUTHORIZATION.VOIDED', 'authorization', showAuthorization(work, order, voided))
  return { status: 204, body: undefined }
}

export function refund(work: Work, [taken, order]: [Capture, Order], body: unknown): Reply {
  const left = taken.amount - taken.refunded
  if (left === 0) throw refused('CAPTURE_FULLY_REFUNDED', 'The capture has already been fully refunded.')
  const amount = wanted(body, order) ?? left
  if (amount > left)
    throw refused(
      'REFUND_AMOUNT_EXCEEDED',
      'The refund amount must be less than or equal to the capture amount.',
    )
  const note = (body as MoneyBody | undefined)?.note_to_payer
  const made: Refund = {
    object: 'refund',
    id: work.newId(),
    order: order.id,
    capture: taken.id,
    amount,
    note: typeof note === 'string' ? note : undefined,
    created: work.now,
  }
  work.put(made)
  work.put({
    ...taken,
    refunded: taken.refunded + amount,
    status: amount === left ? 'REFUNDED' : 'PARTIALLY_REFUNDED',
    updated: work.now,
  })
  work.record('refund', order, amount)
  const shown = showRefund(work, order, made)
  work.emit('PAYMENT.CAPTURE.REFUNDED', 'refund', shown)
  return { status: 201, body: shown }
}

function wanted(body: unknown, order: Order): number | undefined {
  const amount = (body as MoneyBody | undefined)?.amount
  if (amount === undefined) return undefined
  if (amount.currency_code !== order.currency)
    throw refused('CURRENCY_MISMATCH', 'The currency must match that of the payment.')
  return readAmount(amount.value, amount.currency_code, '/amount/value')
}
