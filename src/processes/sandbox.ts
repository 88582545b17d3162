import { join } from 'node:path'
import { systemClock } from '../platform/clock.ts'
import { readConfig } from '../platform/config.ts'
import { listen } from '../platform/server.ts'
import { runProcess } from '../platform/shutdown.ts'
import { createStripeSandbox } from '../sandbox/stripe/sandbox.ts'

/** A local stand-in for Stripe that speaks its wire API; never in production. */
await runProcess(async (signal) => {
  const { config, secrets } = readConfig()
  const sandbox = createStripeSandbox({
    ...secrets.stripe,
    webhookUrl: config.sandbox.webhookUrl,
    dataDir: join(config.dataDir, 'stripe-sandbox'),
    clock: systemClock,
  })
  const { host } = config.http
  const server = listen({ host, port: config.sandbox.port, fetch: (request) => sandbox.fetch(request) })
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  await server.stop()
  await sandbox.close()
})
