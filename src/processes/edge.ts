import { readEdgeSettings } from '../platform/edge-settings.ts'
import { startEdge } from '../platform/servers/edge.ts'
import { runProcess, untilAborted } from '../platform/shutdown.ts'

/** nginx as a CDN's stand-in in front of the web processes; ends with it. */
await runProcess(async (signal) => {
  const edge = await startEdge(readEdgeSettings())
  await Promise.race([untilAborted(signal), edge.exited])
  if (!signal.aborted) throw new Error('nginx ended')
  await edge.stop(150)
})
