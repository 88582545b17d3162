import { Hono } from 'hono'
import { projectPath } from '../../platform/project.ts'
import { Html, readTemplates } from '../../platform/templates.ts'
import { findMail, listMails } from './mailbox.ts'

const MAX = 200
/** Nothing of a mail runs or is fetched; its own inline styles are all it has. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'"

/** The mailbox in a browser, read only: `/mailbox`, `/mailbox/<file>`, and `/mailbox/<file>/html` inside of that. */
export function createMailboxPage(folder: string): Hono {
  const templates = readTemplates(projectPath('src/sandbox/mailbox'))
  const app = new Hono({ strict: false })
  app.use('/mailbox/*', async (c, next) => {
    await next()
    c.header('Content-Security-Policy', POLICY)
    c.header('X-Content-Type-Options', 'nosniff')
    c.header('Cache-Control', 'no-store')
  })

  app.get('/mailbox', async (c) => {
    const mails = await listMails(folder, MAX)
    const rows = mails.map(({ name, date, to, subject }) =>
      templates.render('row', { name, date, to, subject }),
    )
    const content = templates.render('list', {
      rows: rows.length === 0 ? new Html('<p>No mails yet.</p>') : rows,
    })
    return c.html(templates.render('page', { title: 'Mailbox', content }).markup)
  })
  app.get('/mailbox/:name', async (c) => {
    const mail = await findMail(folder, c.req.param('name'))
    if (mail === undefined) return c.text('There is no such mail.', 404)
    const content = templates.render('mail', { ...mail })
    return c.html(templates.render('page', { title: mail.subject, content }).markup)
  })
  app.get('/mailbox/:name/html', async (c) => {
    const mail = await findMail(folder, c.req.param('name'))
    return mail === undefined ? c.text('There is no such mail.', 404) : c.html(mail.html)
  })
  return app
}
