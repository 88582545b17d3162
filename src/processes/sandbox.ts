import { systemClock } from '../platform/clock.ts'
import { readConfig } from '../platform/config.ts'
import { listen } from '../platform/server.ts'
import { runProcess } from '../platform/shutdown.ts'
import { mailboxFolder } from '../sandbox/mailbox/mailbox.ts'
import { createMailboxPage } from '../sandbox/mailbox/page.ts'
import { startMailbox } from '../sandbox/mailbox/server.ts'
import { createSandboxes } from '../sandbox/sandbox.ts'

/** Local stand-ins for Stripe and PayPal, which speak their wire APIs, and for a mail server; never in production. */
await runProcess(async (signal) => {
  const { config, secrets } = readConfig()
  const sandbox = createSandboxes(config, secrets, systemClock)
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
