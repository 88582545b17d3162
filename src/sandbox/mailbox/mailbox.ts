import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ReadMail, readEml } from './eml.ts'

export type { ReadMail } from './eml.ts'

/** The folder of a data folder where `startMailbox` keeps mails. */
export const mailboxFolder = (dataDir: string): string => join(dataDir, 'mailbox')

export interface Entry extends ReadMail {
  /** Of its file. */
  readonly name: string
}

const FILE = /^[\w.-]+\.eml$/

/** The newest first, at most `max`; none where there is no such folder. */
export async function listMails(folder: string, max: number): Promise<Entry[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => FILE.test(name))
  const newest = names.sort().reverse().slice(0, max)
  const mails = await Promise.all(newest.map((name) => findMail(folder, name)))
  return mails.filter((mail) => mail !== undefined)
}

/** Undefined where there is none of this name. */
export async function findMail(folder: string, name: string): Promise<Entry | undefined> {
  if (!FILE.test(name)) return undefined
  const raw = await readFile(join(folder, name)).catch(() => undefined)
  return raw && { name, ...readEml(raw) }
}
