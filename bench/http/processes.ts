import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { WireRequest } from '../../sim/wire/client.ts'
import { environment } from '../../src/platform/config.ts'
import { projectPath } from '../../src/platform/project.ts'
import type { LoadReport, Run } from './load-process.ts'

/** A process of a row, which may speak in lines. `end` kills it. */
export function start(script: string, env: Readonly<Record<string, string>> = {}) {
  const { PATH = '', HOME = '' } = environment()
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(
    process.execPath,
    [projectPath(script)],
    { env: { PATH, HOME, ...env }, stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return {
    write: (order: object) => void child.stdin.write(`${JSON.stringify(order)}\n`),
    read: async (): Promise<string> => {
      const { value, done } = await lines.next()
      if (done === true) throw new Error(`${script} ended by itself`)
      return value
    },
    end: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    },
  }
}

export interface Load extends AsyncDisposable {
  /** Throws where an answer was not the one expected. */
  run(run: Run): Promise<LoadReport>
}

/** A process that sends these requests whenever it is told to. */
export function startLoad(requests: readonly WireRequest[]): Load {
  const child = start('bench/http/load-process.ts')
  child.write({ requests })
  return {
    run: async (run) => {
      child.write(run)
      const report = JSON.parse(await child.read()) as LoadReport
      const wrong = Object.entries(report.wrong)
      if (wrong.length > 0)
        throw new Error(
          `unexpected answers: ${wrong.map(([what, times]) => `${times} x ${what}`).join('; ')}`,
        )
      return report
    },
    [Symbol.asyncDispose]: () => child.end(),
  }
}

export interface BareAnswer {
  readonly status: number
  readonly type: string
  readonly body: string
}

/** The least that an HTTP server of this runtime can do: reads the JSON of a POST, and gives one answer. */
export async function startBareServer(
  answer: BareAnswer,
): Promise<AsyncDisposable & { readonly port: number }> {
  const child = start('bench/http/bare-server.ts', { ANSWER: JSON.stringify(answer), NODE_ENV: 'production' })
  // Bun says where it listens.
  const said = await child.read()
  const port = Number(/:(\d+)/.exec(said.replace('http://', ''))?.[1])
  if (!(port > 0)) throw new Error(`the bare server does not say where it listens: ${said}`)
  return { port, [Symbol.asyncDispose]: () => child.end() }
}
