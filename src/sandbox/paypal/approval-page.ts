/** The page at PayPal where the buyer agrees or turns back. */
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { formatAmount, page } from '../page.ts'
import type { EndpointContext } from './endpoint.ts'
import { baseOf } from './endpoint.ts'
import { INSTRUMENTS, instrumentOf } from './instruments.ts'
import { isoMinorUnits } from './money.ts'
import { approve } from './orders.ts'
import { Work } from './work.ts'

const TITLE = 'PayPal sandbox'

export function approvalRoutes(context: EndpointContext): Hono {
  const { store } = context.around
  const app = new Hono()
  const none = (c: Context) => c.html(page(TITLE, html`<p>There is no such payment here.</p>`), 404)

  app.get('/checkoutnow', (c) => {
    const order = store.get('order', c.req.query('token') ?? '')
    if (order === undefined) return none(c)
    if (order.status === 'COMPLETED' || order.status === 'VOIDED')
      return c.html(
        page(
          TITLE,
          html`<p>This payment is over.</p>
            ${order.cancel_url === undefined ? '' : html`<p><a href="${order.cancel_url}">Back to the shop</a></p>`}`,
        ),
      )
    return c.html(
      page(
        TITLE,
        html`<p>
            A shop asks for a test payment of
            <strong>${formatAmount(isoMinorUnits(order.amount, order.currency), order.currency)}</strong>.
            ${order.description ?? ''}
          </p>
          <form method="post">
            <p>
              <label for="instrument">Pay with</label>
              <select id="instrument" name="instrument">
                ${INSTRUMENTS.map(({ id, name }) => html`<option value="${id}">${name}</option>`)}
              </select>
            </p>
            <button name="result" value="approve">Pay now</button>
            <button name="result" value="cancel">Cancel and return</button>
          </form>`,
      ),
    )
  })

  app.post('/checkoutnow', async (c) => {
    const form = new URLSearchParams(await c.req.text())
    const result = form.get('result')
    const instrument = form.get('instrument') ?? 'balance'
    const { faults, clock, closing } = context
    const latency = faults.latency('approve')
    if (latency > 0) await clock.sleep(latency, closing)
    if (faults.take('fail_next', 'approve'))
      return c.html(page(TITLE, html`<p>Something went wrong.</p>`), 500)
    const work = new Work(context.around, baseOf(context, c.req.raw))
    const order = work.get('order', c.req.query('token') ?? '')
    if (order === undefined) return none(c)
    if (result !== 'approve' && result !== 'cancel') return c.text('result must be approve or cancel', 400)
    if (instrumentOf(instrument) === undefined) return c.text('there is no such instrument', 400)
    if (result === 'approve') {
      approve(work, store, order, instrument)
      context.commit(work.rows())
    }
    const target = result === 'approve' ? order.return_url : order.cancel_url
    if (target === undefined) return c.html(page(TITLE, html`<p>Done. You can close this page.</p>`))
    const back = new URL(target)
    back.searchParams.set('token', order.id)
    if (result === 'approve') back.searchParams.set('PayerID', 'SANDBOXBUYER1')
    return c.redirect(back.href, 303)
  })
  return app
}
