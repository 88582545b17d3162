/** The script that stands for Stripe.js, and the frame with the card's fields. */
import { readFileSync } from 'node:fs'
import { Hono } from 'hono'
import { bundle } from '../../../platform/bundle.ts'
import { projectPath } from '../../../platform/project.ts'

const FOLDER = 'src/sandbox/stripe/elements'
/** Any shop may frame it, as Stripe's own; it loads and calls nothing but what is here. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"

const read = (file: string) => readFileSync(projectPath(`${FOLDER}/${file}`), 'utf8')

/** A script is made when it is first asked for. */
function script(file: string) {
  let made: Promise<string> | undefined
  return () => (made ??= bundle(projectPath(`${FOLDER}/${file}`)))
}

export function elementsRoutes(): Hono {
  const app = new Hono()
  const [outer, inner] = [script('v3.ts'), script('frame.ts')]
  const send = (body: string, type: string) =>
    new Response(body, {
      headers: {
        'Content-Type': `${type}; charset=utf-8`,
        'Content-Security-Policy': POLICY,
        'Cache-Control': 'no-cache',
        'X-Content-Type-Options': 'nosniff',
        'Referrer-Policy': 'no-referrer',
      },
    })
  app.get('/v3', async () => send(await outer(), 'text/javascript'))
  app.get('/v3/card', () => send(read('frame.html'), 'text/html'))
  app.get('/v3/card.js', async () => send(await inner(), 'text/javascript'))
  app.get('/v3/card.css', () => send(read('frame.css'), 'text/css'))
  return app
}
