import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SettingError } from '../../platform/errors.ts'
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

/** What the command line prints: the newest mails, or one. Throws SettingError where there is none of this name. */
export async function mailboxLines(dataDir: string, file: string | undefined): Promise<string[]> {
  const folder = mailboxFolder(dataDir)
  if (file === undefined) {
    const mails = await listMails(folder, 50)
    return mails.length === 0
      ? ['No mails yet.']
      : mails.map(({ name, to, subject }) => `${name}  ${to}  ${subject}`)
  }
  const mail = await findMail(folder, file)
  if (mail === undefined) throw new SettingError(`There is no mail ${file} in ${folder}`)
  return [`From: ${mail.from}`, `To: ${mail.to}`, `Subject: ${mail.subject}`, '', mail.text]
}
