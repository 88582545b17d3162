import { createApp } from '../app.ts'
import { createHosts } from '../hosts.ts'
import { buildAssets } from '../platform/assets.ts'
import { readConfig } from '../platform/config.ts'
import { projectPath } from '../platform/project.ts'
import { listen } from '../platform/server.ts'
import { runProcess } from '../platform/shutdown.ts'
import { tellHealth } from '../worker-health.ts'

/** Gate, shop and operator behind one port. */
await runProcess(async (signal) => {
  const { config, secrets } = readConfig()
  const urls = { shop_url: config.urls.shop, queue_url: config.urls.queue, ops_url: config.urls.ops }
  const [app, consoleAssets] = await Promise.all([
    createApp(config, secrets, { process: 'web' }),
    buildAssets({ directory: projectPath('web/console'), config: urls }),
  ])
  const assets = await buildAssets({
    config: { ...urls, payment_providers: app.payments.names.join(' ') },
    theme: app.theme,
  })
  const hosts = createHosts(app, { assets, consoleAssets, stopping: signal })
  const server = listen({ ...config.http, fetch: (request, client) => hosts.fetch(request, client) })
  // Of this process alone: where several share a port nobody knows which of them answers there.
  const health = tellHealth(app, signal)
  app.log.info({ port: server.port }, 'listening')
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  await server.stop()
  await health.stop()
  await app.close()
})
