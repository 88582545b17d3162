/** An append-only file of JSON lines, one line for each change that must be whole or not at all. */
import { closeSync, mkdirSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export interface Journal {
  append(line: unknown): void
  close(): void
}

/**
 * Opens `<folder>/<name>.jsonl`, hands every whole line to `replay`, and cuts off a last line torn by a crash.
 * Written without fsync: it survives the death of the process, not of the machine.
 */
export function openJournal(folder: string, name: string, replay: (line: unknown) => void): Journal {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${name}.jsonl`)
  const file = openSync(path, 'a')
  const bytes = readFileSync(path)
  const whole = bytes.lastIndexOf(0x0a) + 1
  if (whole < bytes.length) truncateSync(path, whole)
  for (const line of bytes.subarray(0, whole).toString('utf8').split('\n')) {
    if (line !== '') replay(JSON.parse(line))
  }
  return {
    append(line) {
      const data = Buffer.from(`${JSON.stringify(line)}\n`)
      for (let written = 0; written < data.length;) written += writeSync(file, data, written)
    },
    close: () => closeSync(file),
  }
}
