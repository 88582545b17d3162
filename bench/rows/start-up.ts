import { startOverloadable } from '../../test/support/overload.ts'
import { startWebNode } from '../../test/support/web-node.ts'
import { startBareServer } from '../http/processes.ts'
import type { Row } from '../row.ts'

export const startUp: Row = {
  name: 'start-up',
  title: 'Start of a web process',
  ours: 'from its start to ready: settings read, pages and scripts built, Redis and PostgreSQL reached (asked every 50 ms)',
  yardstick: 'a bare server of the same runtime, from its start to its first answer',
  unit: 'ms',
  better: 'less',
  prepare: async () => {
    const system = await startOverloadable()
    const timed = async (start: () => Promise<AsyncDisposable | { stop(): Promise<void> }>) => {
      const began = performance.now()
      const started = await start()
      const took = performance.now() - began
      await ('stop' in started ? started.stop() : started[Symbol.asyncDispose]())
      return took
    }
    return {
      ours: () => timed(() => startWebNode(system.env)),
      yardstick: () =>
        timed(async () => {
          const server = await startBareServer({ status: 200, type: 'text/plain', body: 'ready' })
          const answer = await fetch(`http://127.0.0.1:${server.port}/readyz`)
          if ((await answer.text()) !== 'ready') throw new Error('the bare server is not ready')
          return server
        }),
      [Symbol.asyncDispose]: () => system.stop(),
    }
  },
}
