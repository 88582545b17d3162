import { createTransport } from 'nodemailer'

/** One mail to one person. */
export interface Mail {
  /** A bare address. */
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /** Without angle brackets. The same mail sent again keeps it, so that a mail system can drop the second. */
  readonly messageId: string
  /** Milliseconds since the epoch. */
  readonly date: number
}

/**
 * What the mail server said. `refused`: this mail will never be taken (no such mailbox, refused content); `deferred`: this
 * one later, perhaps; `unavailable`: none at all right now. `code` is the reply's number or the name of what went wrong:
 * never its words, which may hold the address.
 */
export type MailOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused' | 'deferred' | 'unavailable'; readonly code: string }

export interface MailServer {
  /** Never throws: what can go wrong is in the answer. Answers within about half a minute. */
  send(mail: Mail): Promise<MailOutcome>
  close(): void
}

export interface MailServerOptions {
  /** `smtp://` or `smtps://`, with a user and a password where the server asks for them. */
  readonly url: string
  /** `Name <address>` or an address. */
  readonly from: string
  /** Connections at once; each is used again for the next mail. */
  readonly connections?: number
  /** Silence of the server after which a mail is given up for now. */
  readonly timeoutMs?: number
}

/** Real SMTP. Connects with the first mail. */
export function connectMailServer(options: MailServerOptions): MailServer {
  const { url, from, connections = 4, timeoutMs = 10_000 } = options
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: connections,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    // No text of ours may make the library read a file or an address in place of the words.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    send: ({ to, subject, text, html, messageId, date }) =>
      transport
        .sendMail({
          from,
          // An object is taken as it is; a text would be read as a list of addresses.
          to: { name: '', address: to },
          subject,
          text,
          html,
          messageId: `<${messageId}>`,
          date: new Date(date),
          // Nobody answers a machine: no out-of-office replies (RFC 3834).
          headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
        })
        .then((): MailOutcome => ({ kind: 'accepted' }), toOutcome),
    close: () => transport.close(),
  }
}

interface SmtpFailure {
  readonly code?: string
  readonly command?: string
  readonly responseCode?: number
}

/**
 * Only an answer about the recipient or the content is about this mail. One about our sender, our password or our
 * connection is for the operator to put right, and the mail waits for that.
 */
function toOutcome(error: unknown): MailOutcome {
  const { code = 'failed', command = '', responseCode } = error as SmtpFailure
  if (responseCode === undefined) return { kind: 'unavailable', code }
  const said = `${responseCode} ${command}`
  if (command !== 'RCPT TO' && command !== 'DATA') return { kind: 'unavailable', code: said }
  return { kind: responseCode >= 500 ? 'refused' : 'deferred', code: said }
}
