import { createApp } from '../app.ts'
import { finishMoves } from '../operator/finish-moves.ts'
import { keepClean } from '../operator/upkeep.ts'
import { readConfig } from '../platform/config.ts'
import { runProcess } from '../platform/shutdown.ts'
import { tellHealth } from '../worker-health.ts'

/**
 * Ends what is overdue, brings units back, lifts fences, reconciles on a schedule, finishes moves of logical shards; tells
 * buyers by mail what became of it.
 */
await runProcess(async (signal) => {
  const { config, secrets } = readConfig()
  const app = await createApp(config, secrets, { process: 'cleanup' })
  const health = tellHealth(app, signal)
  // By themselves: a mail server that hangs holds up nothing but mails.
  await Promise.all([
    keepClean(app, config, signal),
    app.notices.run(signal),
    app.live.sampler.run(signal),
    finishMoves({ ...app, catalogue: app.shards.catalogue, urls: config.databaseUrls }, signal),
  ])
  await health.stop()
  await app.close()
})
