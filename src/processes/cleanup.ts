import { createApp } from '../app.ts'
import { keepClean } from '../operator/upkeep.ts'
import { readConfig } from '../platform/config.ts'
import { runProcess } from '../platform/shutdown.ts'

/** Ends what is overdue, brings units back, lifts fences, reconciles on a schedule. */
await runProcess(async (signal) => {
  const { config, secrets } = readConfig()
  const app = await createApp(config, secrets, { process: 'cleanup' })
  await keepClean(app, config, signal)
  await app.close()
})
