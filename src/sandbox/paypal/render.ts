/** PayPal's resources as they go over the wire. */
import { showAmount } from './money.ts'
import type { Authorization, Capture, Order, Refund } from './types.ts'
import { isoTime, type Store, type Work } from './work.ts'

const MERCHANT = 'SANDBOXMERCHANT'
const HONOURED_MS = 29 * 86_400_000

/** `all`: rows of the order as the work has left them, not only as they are stored. */
function rowsOf<K extends 'authorization' | 'capture' | 'refund'>(
  work: Work,
  store: Store,
  kind: K,
  order: string,
) {
  const ids = new Set(
    [...store.all(kind), ...work.rows().filter((row) => row.object === kind)].map((row) => row.id),
  )
  return [...ids].flatMap((id) => work.get(kind, id) ?? []).filter((row) => row.order === order)
}

const link = (href: string, rel: string, method = 'GET') => ({ href, rel, method })
const named = (order: Order) => ({
  ...(order.custom_id === undefined ? {} : { custom_id: order.custom_id }),
  ...(order.invoice_id === undefined ? {} : { invoice_id: order.invoice_id }),
})

export function showOrder(work: Work, store: Store, order: Order) {
  const { base } = work
  const self = `${base}/v2/checkout/orders/${order.id}`
  const authorizations = rowsOf(work, store, 'authorization', order.id)
  const captures = rowsOf(work, store, 'capture', order.id)
  const refunds = rowsOf(work, store, 'refund', order.id)
  const approved = order.status === 'APPROVED' || order.status === 'COMPLETED'
  const payer = { name: { given_name: 'John', surname: 'Doe' }, payer_id: 'SANDBOXBUYER1' }
  return {
    id: order.id,
    intent: 'AUTHORIZE',
    status: order.status,
    ...(approved
      ? { payer, payment_source: { paypal: { account_id: payer.payer_id, name: payer.name } } }
      : {}),
    purchase_units: [
      {
        reference_id: 'default',
        amount: showAmount(order.amount, order.currency),
        payee: { merchant_id: MERCHANT },
        ...(order.description === undefined ? {} : { description: order.description }),
        ...named(order),
        ...(authorizations.length === 0
          ? {}
          : {
              payments: {
                authorizations: authorizations.map((one) => showAuthorization(work, order, one)),
                ...(captures.length === 0
                  ? {}
                  : { captures: captures.map((one) => showCapture(work, order, one)) }),
                ...(refunds.length === 0
                  ? {}
                  : { refunds: refunds.map((one) => showRefund(work, order, one)) }),
              },
            }),
      },
    ],
    create_time: isoTime(order.created),
    update_time: isoTime(order.updated),
    links: [
      link(self, 'self'),
      ...(order.status === 'CREATED' || order.status === 'PAYER_ACTION_REQUIRED'
        ? [link(approvalUrl(work, order), order.return_url === undefined ? 'approve' : 'payer-action')]
        : []),
      ...(order.status === 'APPROVED' ? [link(`${self}/authorize`, 'authorize', 'POST')] : []),
    ],
  }
}

export const approvalUrl = (work: Work, order: Order) => `${work.base}/checkoutnow?token=${order.id}`

export function showAuthorization(work: Work, order: Order, row: Authorization) {
  const self = `${work.base}/v2/payments/authorizations/${row.id}`
  return {
    id: row.id,
    status: row.status,
    amount: showAmount(row.amount, order.currency),
    ...named(order),
    seller_protection: { status: 'NOT_ELIGIBLE' },
    supplementary_data: { related_ids: { order_id: order.id } },
    expiration_time: isoTime(row.created + HONOURED_MS),
    create_time: isoTime(row.created),
    update_time: isoTime(row.updated),
    links: [
      link(self, 'self'),
      link(`${self}/capture`, 'capture', 'POST'),
      link(`${self}/void`, 'void', 'POST'),
      link(`${work.base}/v2/checkout/orders/${order.id}`, 'up'),
    ],
  }
}

export function showCapture(work: Work, order: Order, row: Capture) {
  const self = `${work.base}/v2/payments/captures/${row.id}`
  return {
    id: row.id,
    status: row.status,
    amount: showAmount(row.amount, order.currency),
    final_capture: row.final,
    ...named(order),
    supplementary_data: { related_ids: { order_id: order.id, authorization_id: row.authorization } },
    create_time: isoTime(row.created),
    update_time: isoTime(row.updated),
    links: [
      link(self, 'self'),
      link(`${self}/refund`, 'refund', 'POST'),
      link(`${work.base}/v2/payments/authorizations/${row.authorization}`, 'up'),
    ],
  }
}

export function showRefund(work: Work, order: Order, row: Refund) {
  return {
    id: row.id,
    status: 'COMPLETED',
    amount: showAmount(row.amount, order.currency),
    ...(row.note === undefined ? {} : { note_to_payer: row.note }),
    ...named(order),
    create_time: isoTime(row.created),
    update_time: isoTime(row.created),
    links: [
      link(`${work.base}/v2/payments/refunds/${row.id}`, 'self'),
      link(`${work.base}/v2/payments/captures/${row.capture}`, 'up'),
    ],
  }
}
