import { join } from 'node:path'
import { systemClock } from '../platform/clock.ts'
import { readConfig } from '../platform/config.ts'
import { listen } from '../platform/server.ts'
import { runProcess } from '../platform/shutdown.ts'
import { mailboxFolder } from '../sandbox/mailbox/mailbox.ts'
import { createMailboxPage } from '../sandbox/mailbox/page.ts'
import { startMailbox } from '../sandbox/mailbox/server.ts'
import { createStripeSandbox } from '../sandbox/stripe/sandbox.ts'

/** Local stand-ins for Stripe, which speaks its wire API, and for a mail server; never in production. */
await runProcess(async (signal) => {
  const { config, secrets } = readConfig()
  const sandbox = createStripeSandbox({
    ...secrets.stripe,
    webhookUrl: config.sandbox.webhookUrl,
    dataDir: join(config.dataDir, 'stripe-sandbox'),
    clock: systemClock,
  })
  const { mailboxPort: mailPort, port } = config.sandbox
  const folder = mailboxFolder(config.dataDir)
  const mailbox = mailPort && (await startMailbox({ folder, port: mailPort, clock: systemClock }))
  const page = createMailboxPage(folder)
  const server = listen({
    ...{ host: config.http.host, port },
    fetch: (request) =>
      new URL(request.url).pathname.startsWith('/mailbox') ? page.fetch(request) : sandbox.fetch(request),
  })
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  await server.stop()
  await sandbox.close()
  if (mailbox) await mailbox.close()
})
