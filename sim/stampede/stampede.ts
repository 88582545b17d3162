import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { startProgress } from '../progress.ts'
import { INVARIANTS, type Second } from './measures.ts'
import type { StampedeOptions } from './options.ts'
import { commandOf, renderHtml } from './report.ts'
import { simulateStampede } from './simulation.ts'
import { summaryOf } from './summary.ts'

export { readStampedeOptions } from './options.ts'

/** `rush --simulate`: runs it, writes the report, prints the verdict. Resolves with the exit code: 1 where anything broke. */
export async function stampede(options: StampedeOptions, signal?: AbortSignal): Promise<number> {
  const say = options.json ? console.error : console.log
  say(commandOf({ options }))
  let told = { at: 0, arrived: 0, waiting: 0, sold: 0 }
  const progress = startProgress(options.buyers, () => ({
    done: told.arrived,
    text: `${told.at} s virtual: ${told.arrived} came, ${told.waiting} wait, ${told.sold} sold`,
  }))
  const tell = ({ at, waiting, sold }: Second, arrived: number) =>
    void (told = { at, arrived, waiting, sold })
  const run = await simulateStampede(options, tell, signal).finally(() => progress.stop())
  const summary = summaryOf(run)
  const file = resolve(options.report)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, renderHtml(run, summary))
  const { memory, wait_s } = summary
  const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`
  say(`${summary.sold} of ${summary.units} sold; sold out after ${summary.sold_out_s ?? 'never'} s`)
  say(
    `${summary.admitted} of ${summary.joined} let in; median wait ${wait_s.p50} s, rank correlation ${summary.rank_correlation}`,
  )
  say(
    `${summary.origin_requests_per_visitor} requests at the origin and ${summary.bytes_per_visitor} bytes a visitor`,
  )
  say(
    `${summary.events} events in ${summary.wall_s} s; ${mb(memory.process_peak_bytes)} here, ${mb(memory.redis_peak_bytes)} in Redis`,
  )
  for (const [name, found] of run.broken.found)
    say(`BROKEN ${INVARIANTS[name]}: ${found.length} times, the first: ${found[0]}`)
  if (summary.broken.length === 0) say('Everything that must hold held')
  say(`Report: ${file}`)
  if (options.json) console.log(JSON.stringify({ ...summary, report: file }))
  return summary.broken.length === 0 ? 0 : 1
}
