import { createRelayApp } from '../event-log.ts'
import { readConfig } from '../platform/config.ts'
import { runProcess } from '../platform/shutdown.ts'

/** Outboxes to Kafka; the full profile only. */
await runProcess(async (signal) => {
  const relay = await createRelayApp(readConfig().config)
  await relay.run(signal)
  await relay.close()
})
