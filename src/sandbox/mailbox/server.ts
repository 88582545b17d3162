import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SMTPServer } from 'smtp-server'
import type { Clock } from '../../platform/clock.ts'

/**
 * A mail server that delivers nothing: it speaks real SMTP on the loopback interface and keeps each mail as it came, in a
 * file `<time>-<number>.eml`. Never in production.
 */
export interface Mailbox {
  readonly port: number
  close(): Promise<void>
}

export interface MailboxOptions {
  readonly folder: string
  /** 0: the operating system chooses. */
  readonly port: number
  readonly clock: Clock
}

const HOST = '127.0.0.1'
const MAX_BYTES = 1024 * 1024
const MAX_CLIENTS = 50

export async function startMailbox({ folder, port, clock }: MailboxOptions): Promise<Mailbox> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  let kept = 0
  const keep = async (mail: Buffer) => {
    const time = new Date(clock.now()).toISOString().replaceAll(':', '-')
    const path = join(folder, `${time}-${String(kept++).padStart(6, '0')}`)
    // Under its name only when it is whole.
    await writeFile(`${path}.part`, mail, { mode: 0o600 })
    await rename(`${path}.part`, `${path}.eml`)
  }
  const server = new SMTPServer({
    banner: 'Doorbuster mailbox: nothing is delivered',
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    size: MAX_BYTES,
    maxClients: MAX_CLIENTS,
    closeTimeout: 200,
    onData: (stream, _session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => {
        if (!stream.sizeExceeded) chunks.push(chunk)
      })
      stream.on('end', () => {
        if (stream.sizeExceeded) return done(Object.assign(new Error('too large'), { responseCode: 552 }))
        keep(Buffer.concat(chunks)).then(
          () => done(),
          () => done(Object.assign(new Error('the mailbox can not be written'), { responseCode: 452 })),
        )
      })
    },
  })
  // A client that breaks off is no reason to end.
  server.on('error', () => undefined)
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject)
    server.listen(port, HOST, () => resolve())
  })
  const address = server.server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
