/** The local mailbox on a port of its own, and mail servers that say no. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { systemClock } from '../../src/platform/clock.ts'
import { connectMailServer, type Mail } from '../../src/platform/mail.ts'
import { readEml, type ReadMail } from '../../src/sandbox/mailbox/eml.ts'
import { startMailbox } from '../../src/sandbox/mailbox/server.ts'

export const FROM = 'Doorbuster <no-reply@shop.localhost>'

export type TestMailbox = Awaited<ReturnType<typeof startTestMailbox>>

export async function startTestMailbox() {
  const folder = await mkdtemp(join(tmpdir(), 'doorbuster-mailbox-'))
  let mailbox = await startMailbox({ folder, port: 0, clock: systemClock })
  const { port } = mailbox
  const url = `smtp://127.0.0.1:${port}`
  const raws = async () => {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.eml')).sort()
    return Promise.all(names.map((name) => readFile(join(folder, name))))
  }
  return {
    folder,
    port,
    url,
    /** Every mail as it came, the oldest first. */
    raws,
    /** Those to an address, or all. */
    mails: async (to?: string): Promise<ReadMail[]> =>
      (await raws()).map(readEml).filter((mail) => to === undefined || mail.to === to),
    /** The adapter against it. */
    connect: () => connectMailServer({ url, from: FROM, timeoutMs: 2000 }),
    down: () => mailbox.close(),
    up: async () => {
      mailbox = await startMailbox({ folder, port, clock: systemClock })
    },
    [Symbol.asyncDispose]: async () => {
      await mailbox.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A mail server that behaves as its options say. */
export async function startMailServer(options: SMTPServerOptions) {
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 50,
    onData: (stream, _session, done) => {
      stream.resume()
      stream.on('end', () => done())
    },
    ...options,
  })
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const address = server.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `smtp://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

/** What a mail server answers in place of 250. */
export const smtpError = (responseCode: number): Error =>
  Object.assign(new Error('not for <secret@example.com>'), { responseCode })

export const mailOf = (change: Partial<Mail> = {}): Mail => ({
  to: 'buyer@example.com',
  subject: 'A subject',
  text: 'A text\n',
  html: '<p>A text</p>',
  messageId: 'one@shop.localhost',
  date: 1_790_000_000_000,
  ...change,
})
