import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { SMTPServerOptions } from 'smtp-server'
import {
  FROM,
  mailOf,
  smtpError,
  startMailServer,
  startTestMailbox,
  type TestMailbox,
} from '../../test/support/mail.ts'
import { connectMailServer } from './mail.ts'

let mailbox: TestMailbox
beforeAll(async () => {
  mailbox = await startTestMailbox()
})
afterAll(() => mailbox[Symbol.asyncDispose]())

/** What becomes of a mail to this address. */
async function sent(change: Parameters<typeof mailOf>[0]) {
  const server = mailbox.connect()
  const outcome = await server.send(mailOf(change))
  server.close()
  return outcome
}

test('every character arrives: UTF-8, lines of dots, long lines, what looks like an end or a header', async () => {
  const text = [
    'Grüße 🎉',
    '.',
    '..',
    '.QUIT',
    '',
    `x${'ü'.repeat(2000)}`,
    '=3D',
    'From me',
    '-- ',
    'end ',
  ].join('\n')
  const html = `<p>${'Ж'.repeat(700)}</p>\n.\n<p>=20</p>`
  const subject = `Quittung für „Lampe“ ${'🎈 '.repeat(40)}end`
  expect(await sent({ to: 'all@example.com', text, html, subject })).toEqual({ kind: 'accepted' })
  const [mail] = await mailbox.mails('all@example.com')
  expect(mail).toMatchObject({ from: FROM, subject, message_id: '<one@shop.localhost>' })
  expect(mail?.text.trimEnd()).toBe(text.trimEnd())
  expect(mail?.html.trimEnd()).toBe(html)
  // On the wire: 7-bit, and no line longer than SMTP allows.
  const raw = (await mailbox.raws()).at(-1)?.toString('latin1') ?? ''
  expect(raw).toMatch(/^[\x20-\x7e\r\n\t]*$/)
  expect(Math.max(...raw.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998)
  expect(raw).toContain('Auto-Submitted: auto-generated\r\n')
  expect(raw).toContain(`Date: ${new Date(1_790_000_000_000).toUTCString().replace('GMT', '+0000')}\r\n`)
})

test('a subject can not become a header, nor an address a second recipient', async () => {
  await sent({ to: 'one@example.com', subject: 'Lamp\r\nBcc: thief@example.com\r\n\r\n<script>' })
  const raw = (await mailbox.raws()).at(-1)?.toString('latin1') ?? ''
  expect(raw).not.toMatch(/^bcc:/im)
  const [mail] = await mailbox.mails('one@example.com')
  expect(mail?.subject).toMatch(/^Lamp Bcc: thief@example.com +<script>$/)
  const before = (await mailbox.raws()).length
  for (const to of ['two@example.com, thief@example.com', 'two@example.com\r\nRCPT TO:<thief@example.com>'])
    expect(await sent({ to })).not.toEqual({ kind: 'accepted' })
  expect(await mailbox.raws()).toHaveLength(before)
})

const NO: readonly (readonly [string, SMTPServerOptions, object])[] = [
  [
    'no such mailbox',
    { onRcptTo: (_a, _s, done) => done(smtpError(550)) },
    { kind: 'refused', code: '550 RCPT TO' },
  ],
  [
    'a full mailbox',
    { onRcptTo: (_a, _s, done) => done(smtpError(452)) },
    { kind: 'deferred', code: '452 RCPT TO' },
  ],
  [
    'refused content',
    { onData: (stream, _s, done) => (stream.resume(), stream.on('end', () => done(smtpError(554)))) },
    { kind: 'refused', code: '554 DATA' },
  ],
  [
    'content refused for now',
    { onData: (stream, _s, done) => (stream.resume(), stream.on('end', () => done(smtpError(451)))) },
    { kind: 'deferred', code: '451 DATA' },
  ],
  // About us, not about the mail: it waits for the operator.
  [
    'our sender',
    { onMailFrom: (_a, _s, done) => done(smtpError(550)) },
    { kind: 'unavailable', code: '550 MAIL FROM' },
  ],
  [
    'our connection',
    { onConnect: (_s, done) => done(smtpError(554)) },
    { kind: 'unavailable', code: '554 CONN' },
  ],
  ['silence', { onData: () => undefined }, { kind: 'unavailable', code: 'ETIMEDOUT' }],
]
test.each(NO)('%s', async (_name, options, expected) => {
  await using server = await startMailServer(options)
  const mail = connectMailServer({ url: server.url, from: FROM, timeoutMs: 300 })
  const outcome = await mail.send(mailOf())
  mail.close()
  expect(outcome as object).toEqual(expected)
  expect(JSON.stringify(outcome)).not.toContain('@')
})

test('a server that goes and comes back: the same adapter finds it again', async () => {
  const server = mailbox.connect()
  const send = () => server.send(mailOf({ to: 'again@example.com' }))
  expect(await send()).toEqual({ kind: 'accepted' })
  await mailbox.down()
  expect(await send()).toMatchObject({ kind: 'unavailable' })
  await mailbox.up()
  expect(await send()).toEqual({ kind: 'accepted' })
  server.close()
  expect(await mailbox.mails('again@example.com')).toHaveLength(2)
})
