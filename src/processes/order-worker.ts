import { createApp } from '../app.ts'
import { orderConsumer } from '../flow/orders/consumer.ts'
import { readConfig } from '../platform/config.ts'
import { runProcess } from '../platform/shutdown.ts'
import { tellHealth } from '../worker-health.ts'

/** Order log to SQL. */
await runProcess(async (signal) => {
  const { config, secrets } = readConfig()
  const app = await createApp(config, secrets, { process: 'order-worker' })
  const health = tellHealth(app, signal)
  await app.eventLog.consume(orderConsumer(app), signal)
  await health.stop()
  await app.close()
})
