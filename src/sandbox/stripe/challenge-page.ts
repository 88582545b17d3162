/** The bank's page in the sandbox: approve or fail, then back to the shop, as a 3-D Secure redirect does. */
import { Hono } from 'hono'
import { html } from 'hono/html'
import { formatAmount, page } from '../page.ts'
import { answerChallenge } from './confirm.ts'
import type { EndpointContext } from './endpoint.ts'
import { Work } from './work.ts'

export function challengeRoutes(context: EndpointContext): Hono {
  const { store } = context.around
  const app = new Hono()

  app.get('/_sandbox/3ds/:id', (c) => {
    const challenge = store.get('sandbox.challenge', c.req.param('id'))
    const intent = challenge && store.get('payment_intent', challenge.payment_intent)
    if (!challenge || !intent) return c.text('No such authentication', 404)
    const amount = formatAmount(intent.amount, intent.currency)
    return c.html(
      page(
        'Test bank',
        html`<p>Your bank asks you to confirm a test payment of ${amount}.</p>
          <form method="post">
            <button name="result" value="approve">Approve</button>
            <button name="result" value="fail">Fail</button>
          </form>`,
      ),
    )
  })

  app.post('/_sandbox/3ds/:id', async (c) => {
    const form = new URLSearchParams(await c.req.text())
    const result = form.get('result')
    const work = new Work(context.around, new URL(c.req.url).origin)
    const challenge = work.get('sandbox.challenge', c.req.param('id'))
    if (!challenge) return c.text('No such authentication', 404)
    if (result !== 'approve' && result !== 'fail') return c.text('result must be approve or fail', 400)
    answerChallenge(work, challenge, result === 'approve')
    context.commit(work.rows())
    const answered = store.get('sandbox.challenge', challenge.id)
    const intent = store.get('payment_intent', challenge.payment_intent)
    if (challenge.return_url === null || !intent)
      return c.html(page('Test bank', html`<p>Done. You can close this page.</p>`))
    const back = new URL(challenge.return_url)
    back.searchParams.set('payment_intent', intent.id)
    back.searchParams.set('payment_intent_client_secret', intent.client_secret)
    back.searchParams.set('redirect_status', answered?.answer === 'approved' ? 'succeeded' : 'failed')
    return c.redirect(back.href, 303)
  })
  return app
}
