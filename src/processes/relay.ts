import { createRelayApp } from '../event-log.ts'
import { readConfig } from '../platform/config.ts'
import { runProcess } from '../platform/shutdown.ts'
import { tellRelayHealth } from '../worker-health.ts'

/** Outboxes to Kafka; the full profile only. */
await runProcess(async (signal) => {
  const { config } = readConfig()
  const relay = await createRelayApp(config)
  const health = tellRelayHealth(config, relay.redis, signal)
  await relay.run(signal)
  await health.stop()
  await relay.close()
})
